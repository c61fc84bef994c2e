"""Components along the roads: lamps, trees, covers, signs, bins, each in its unit grid."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from demo.frames import frame
from demo.gridding import Units
from demo.ground import Geometries
from demo.roads import Roads
from demo.seeds import stream
from demo.tables import rows

EDGE_M = 1.5  # from the red line inwards
STATES = ("完好", "破损", "丢失")
STATE_SHARES = (0.965, 0.03, 0.005)
YEARS = (2005, 2025)


def along(
    lines: Roads, spacing_m: float, random: np.random.Generator
) -> tuple[Geometries, NDArray[np.int64]]:
    """Points on both sides of roads, about so many metres apart, and the road of each."""
    count = np.maximum((shapely.length(lines.geometry) / spacing_m).astype(np.int64), 0) * 2
    road = np.repeat(np.arange(len(count)), count)
    place = random.random(len(road)) * shapely.length(lines.geometry)[road]
    on = shapely.line_interpolate_point(lines.geometry[road], place)
    ahead = shapely.line_interpolate_point(lines.geometry[road], place + 0.5)
    behind = shapely.line_interpolate_point(lines.geometry[road], np.maximum(place - 0.5, 0))
    way = shapely.get_coordinates(ahead) - shapely.get_coordinates(behind)
    length = np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)
    side = np.where(random.random(len(road)) < 0.5, 1.0, -1.0) * (lines.width_m[road] / 2 - EDGE_M)
    off = np.column_stack([-way[:, 1], way[:, 0]]) / length[:, None] * side[:, None]
    points: Geometries = shapely.points(np.round(shapely.get_coordinates(on) + off, 3))
    return points, road


def components(lines: Roads, grids: Units, spacing_m: float, seed: int, district: str) -> gpd.GeoDataFrame:
    """Features of `component` in one district."""
    random = stream(seed, "components", district)
    points, road = along(lines, spacing_m, random)
    grid = grids.holding(points)
    inside = np.array([one is not None and one.startswith(district) for one in grid], dtype=bool)
    points, road, grid = points[inside], road[inside], grid[inside]
    kinds = rows("components.csv")
    weight = np.array([float(one["weight"]) for one in kinds])
    kind = random.choice(len(kinds), len(points), p=weight / weight.sum())
    classes = np.array([one["class"] for one in kinds], dtype=object)[kind]
    number = _sequence(kind)
    zh = np.array(lines.name_zh, dtype=object)
    return frame(
        points,
        code=[f"{district}{one}{n:06d}" for one, n in zip(classes, number, strict=True)],
        **{"class": classes},
        name=np.array([one["name_zh"] for one in kinds], dtype=object)[kind],
        grid=grid,
        road=zh[road] if len(road) else zh[:0],
        keeper=np.array([one["keeper"] for one in kinds], dtype=object)[kind],
        state=random.choice(np.array(STATES, dtype=object), len(points), p=STATE_SHARES),
        installed=random.integers(*YEARS, len(points)),
    )


def _sequence(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """1, 2, 3 … within each kind, in the order given."""
    order = np.argsort(kind, kind="stable")
    number = np.empty(len(kind), dtype=np.int64)
    start = np.flatnonzero(np.diff(kind[order], prepend=-1))
    count = np.diff(np.append(start, len(kind)))
    number[order] = np.arange(len(kind)) - np.repeat(start, count) + 1
    return number
