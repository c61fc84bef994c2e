"""Roads: expressways across the city, main roads between communities, streets between blocks."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from demo.cutting import Pieces
from demo.ground import Geometries, Ground, Labels
from demo.names import road_names
from demo.seeds import stream
from demo.shape import smooth, warp
from demo.tables import courses, seats

EXPRESSWAY, MAIN, SECONDARY, LOCAL = "快速路", "主干路", "次干路", "支路"
WIDTH_M = {EXPRESSWAY: 60.0, MAIN: 40.0, SECONDARY: 28.0, LOCAL: 16.0}
MAIN_CUT_M2 = 3_000_000.0  # a cut through more land than this is a main road
SECONDARY_CUT_M2 = 350_000.0
AVENUE = "大道"
SHORTEST_M = 20.0


@dataclass(frozen=True)
class Roads:
    """Lines with their class, width between the red lines in metres, and names."""

    geometry: Geometries
    grade: NDArray[np.object_]
    width_m: NDArray[np.float64]
    name_zh: list[str]
    name_en: list[str]

    def corridors(self) -> Geometries:
        """The land between the red lines."""
        land: Geometries = shapely.buffer(
            self.geometry, self.width_m / 2, cap_style="square", join_style="mitre"
        )
        return land

    def some(self, chosen: NDArray[np.bool_]) -> "Roads":
        """Those roads alone."""
        keep = np.flatnonzero(chosen)
        return Roads(
            self.geometry[keep],
            self.grade[keep],
            self.width_m[keep],
            [self.name_zh[at] for at in keep],
            [self.name_en[at] for at in keep],
        )


def named(geometry: Geometries, grade: NDArray[np.object_], random: np.random.Generator) -> Roads:
    """Give roads their widths and invented names."""
    zh, en = road_names(list(grade), random)
    width = np.array([WIDTH_M[each] for each in grade], dtype=float)
    return Roads(geometry, grade, width, zh, en)


def together(*groups: Roads) -> Roads:
    """Several lots of roads as one."""
    return Roads(
        np.concatenate([each.geometry for each in groups]),
        np.concatenate([each.grade for each in groups]),
        np.concatenate([each.width_m for each in groups]),
        [name for each in groups for name in each.name_zh],
        [name for each in groups for name in each.name_en],
    )


def expressways(seed: int, ground: Ground) -> Roads:
    """The roads across the whole city, cut off at its border."""
    bend = warp(seed)
    specs = [course for course in courses() if course.kind == "highway"]
    lines = np.array([shapely.LineString(bend.shift(smooth(each.points))) for each in specs], dtype=object)
    parts, owner = shapely.get_parts(shapely.intersection(lines, ground.outline), return_index=True)
    long = shapely.length(parts) > SHORTEST_M * 10
    parts, owner = parts[long], owner[long]
    grade = [MAIN if specs[at].name_zh.endswith(AVENUE) else EXPRESSWAY for at in owner]
    return Roads(
        shapely.set_precision(parts, 0.001),
        np.array(grade, dtype=object),
        np.array([specs[at].width_m for at in owner], dtype=float),
        [specs[at].name_zh for at in owner],
        [specs[at].name_en for at in owner],
    )


def border_roads(seed: int, ground: Ground, urban: Geometries) -> tuple[Roads, Labels]:
    """The roads between communities, where both sides are built on.

    Returns
    -------
    tuple
        The roads, and for each the index of the community that keeps it.
    """
    held = np.flatnonzero(urban != None)  # noqa: E711  (element-wise)
    left, right = STRtree(urban[held]).query(urban[held], predicate="intersects")
    pair = left < right
    left, right = held[left[pair]], held[right[pair]]
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    shared = shapely.line_merge(shapely.intersection(urban[left], urban[right]))
    lines, owner = shapely.get_parts(shared, return_index=True)
    long = shapely.length(lines) > SHORTEST_M
    lines, owner = lines[long], owner[long]
    inside = ground.street[left[owner]] == ground.street[right[owner]]
    grade = np.where(inside, SECONDARY, MAIN).astype(object)
    roads = named(lines, grade, stream(seed, "border roads"))
    return one_name_per_border(roads, ground, left[owner], right[owner]), left[owner]


def one_name_per_border(roads: Roads, ground: Ground, left: Labels, right: Labels) -> Roads:
    """Where two streets meet, the road between them bears one name all along."""
    first: dict[tuple[int, int], int] = {}
    zh, en = list(roads.name_zh), list(roads.name_en)
    for at, (one, two) in enumerate(zip(ground.street[left], ground.street[right], strict=True)):
        if one != two:
            source = first.setdefault((min(one, two), max(one, two)), at)
            zh[at], en[at] = roads.name_zh[source], roads.name_en[source]
    return Roads(roads.geometry, roads.grade, roads.width_m, zh, en)


def cut_roads(pieces: Pieces, random: np.random.Generator) -> Roads:
    """The streets a cutting made; the more land a cut went through, the wider."""
    grade = np.full(len(pieces.cuts), LOCAL, dtype=object)
    grade[pieces.cut_area_m2 > SECONDARY_CUT_M2] = SECONDARY
    grade[pieces.cut_area_m2 > MAIN_CUT_M2] = MAIN
    return named(shapely.set_precision(pieces.cuts, 0.001), grade, random)


def district_of(ground: Ground, communities: Labels) -> NDArray[np.object_]:
    """The district code of each community."""
    codes = np.array([seat.code[:6] for seat in seats()], dtype=object)
    return codes[ground.street[communities]]
