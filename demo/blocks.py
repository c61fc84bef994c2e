"""Blocks lie between roads, and parcels partition blocks."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import STRtree

from demo.cutting import Pieces, divide, exact_faces, explode, long_angle, running
from demo.ground import Geometries, Labels, merge
from demo.roads import Roads
from demo.shape import GRID_M

NATURE_SETBACK_M = 4.0  # half a path along woods and water
SMALLEST_BLOCK_M2 = 900.0
THINNEST = 0.12  # 4πA/P² below this is a verge, not a block


@dataclass(frozen=True)
class Blocks:
    """Blocks and their parcels; `community` and `block` are indices of what each lies in."""

    geometry: Geometries
    community: Labels
    parcels: Geometries
    block: Labels


def between(pieces: Pieces, roads: Roads) -> tuple[Geometries, Labels]:
    """What the roads leave of the pieces, and the piece each block is cut from."""
    ground = shapely.buffer(pieces.geometry, -NATURE_SETBACK_M, join_style="mitre")
    corridors = roads.corridors()
    which, road = STRtree(corridors).query(ground, predicate="intersects")
    order = np.lexsort((road, which))
    which, road = which[order], road[order]
    turn = running(which)
    for step in range(int(turn.max(initial=-1)) + 1):  # one road of every piece at a time
        now = turn == step
        ground[which[now]] = shapely.difference(ground[which[now]], corridors[road[now]])
    parts, owner = explode(shapely.set_precision(ground, GRID_M))
    area, around = shapely.area(parts), shapely.length(parts)
    good = (area > SMALLEST_BLOCK_M2) & (4 * np.pi * area > THINNEST * around**2)
    return parts[good], owner[good]


def lay_out(pieces: Pieces, roads: Roads, parcel_m2: float, random: np.random.Generator) -> Blocks:
    """Blocks between roads, and their parcels, meeting exactly.

    The pieces are ground cut by streets; their `origin` is the community. `parcel_m2` is the mean area
    of a parcel in m².
    """
    rough, piece = between(pieces, roads)
    middle = shapely.point_on_surface(rough)
    community = pieces.origin[piece]
    order = np.lexsort((shapely.get_x(middle), -shapely.get_y(middle), community))
    rough, community = rough[order], community[order]
    cut = divide(rough, long_angle(rough), parcel_m2, random)
    parcels, block = exact_faces(rough, cut.cuts)
    return Blocks(merge(parcels, block, len(rough)), community, parcels, block)
