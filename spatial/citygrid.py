"""CityGrid: the square tile grid of the city in its own projected coordinate system.

Lengths are metres of that system, x is east and y is north; rows count downward from the top left corner.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox

TILE_PIXELS = 256
PIXEL_METRES = 0.00028  # the standardised pixel of OGC 17-083r4, 6.1.1.1


class TileOutside(OnemapError):
    """No tile has this address."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar[str] = "tile-outside"
    message: ClassVar[str] = "{grid} has no tile {z}/{x}/{y}"
    message_zh: ClassVar[str] = "{grid} 没有瓦片 {z}/{x}/{y}"


@dataclass(frozen=True, slots=True)
class CityGrid:
    """A quad tree of square tiles of 256 pixels.

    Attributes
    ----------
    srid : int
        EPSG code of the projected coordinate system.
    origin_x, origin_y : float
        Top left corner: easting and northing, metres.
    size : float
        Side of the only tile of level 0, metres.
    levels : int
        How many levels there are; the last one is `levels - 1`.
    """

    srid: int
    origin_x: float
    origin_y: float
    size: float
    levels: int

    def tile_bounds(self, z: int, x: int, y: int) -> BBox:
        """The box of one tile, metres.

        Raises
        ------
        TileOutside
            The grid has no such tile.
        """
        if not self.contains(z, x, y):
            raise TileOutside(grid="CityGrid", z=z, x=x, y=y)
        side = self.size / (1 << z)
        # Every edge from its own number: neighbours then name their common edge by the very same float.
        return BBox(
            self.origin_x + x * side,
            self.origin_y - (y + 1) * side,
            self.origin_x + (x + 1) * side,
            self.origin_y - y * side,
        )

    def tile_at(self, z: int, px: float, py: float) -> tuple[int, int]:
        """Column and row of the tile that owns the point; a shared edge belongs to the tile right or below.

        Raises
        ------
        TileOutside
            The point lies outside the grid, or there is no such level.
        """
        if not 0 <= z < self.levels:
            raise TileOutside(grid="CityGrid", z=z, x="?", y="?")
        side = self.size / (1 << z)
        x, y = math.floor((px - self.origin_x) / side), math.floor((self.origin_y - py) / side)
        if not self.contains(z, x, y):
            raise TileOutside(grid="CityGrid", z=z, x=x, y=y)
        return x, y

    def contains(self, z: int, x: int, y: int) -> bool:
        """Whether the grid has this tile."""
        return 0 <= z < self.levels and 0 <= x < (1 << z) and 0 <= y < (1 << z)

    def resolution(self, z: int) -> float:
        """Metres per pixel at level `z`."""
        return self.size / TILE_PIXELS / (1 << z)

    def scale_denominator(self, z: int) -> float:
        """Scale of level `z` on a pixel of 0.28 mm; 1:500 gives 500."""
        return self.resolution(z) / PIXEL_METRES

    def level_for_scale(self, denominator: float) -> int:
        """The first level at least as detailed as 1:`denominator`, or the last there is."""
        exact = math.log2(self.scale_denominator(0) / denominator)
        return min(max(math.ceil(exact - 1e-9), 0), self.levels - 1)
