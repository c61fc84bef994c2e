"""Overviews: what of a layer is shown at the levels where its tiles would be too full (docs/decisions/0019).

The rule, by level of CityGrid below the layer's first level:

- A pixel is the level's on a tile drawn with 512 pixels. A cell is a square of half a pixel (points: 8 pixels), made
  twice as large until the fullest tile of the level fits (`cells.TARGET_BYTES`), at most a block's side.
- A polygon whose side (the root of its area) is a cell or more, and a line of a cell's length or more, stand for
  themselves: simplified by half a pixel, with fid and version.
- Smaller polygons are merged: one square per cell in the class that covers most of it, as large as the merged
  polygons are together, the whole cell from one half on.
- Smaller lines of one class are joined where they meet; what stays shorter than a cell is dropped.
- Points that share a cell are one point with their number.

Everything belongs to a block, a tile of CityGrid's level 7, by the middle of its box: a change remakes the blocks in
which features were and are, and nothing else. Merged shapes keep the box of all that went into them (`reach`), by
which an area right is judged; single features are judged by `layers.queries.relation`.
"""

RULE = {
    "zh": "小于一个格网单元（半个像素起，逐级加大到最满的瓦片不超限）的面按类合并为方块，线按类相接后仍短者舍去，"
    "同一单元的点合为一点并记数；其余要素化简半个像素后逐个显示。",
    "en": "Polygons smaller than a cell (half a pixel, or larger until the fullest tile fits) are merged into squares"
    " by class; short lines are joined by class and dropped where still short; points that share a cell are one with"
    " their number. All others stand for themselves, simplified by half a pixel.",
}
