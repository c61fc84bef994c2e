"""Cut polygons in two, again and again, until they are small enough: streets, blocks, parcels.

Cuts run along two directions at right angles, given for each polygon, across its longer side. Metres.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from demo.ground import Geometries, Labels
from demo.shape import GRID_M

MIDDLE = (0.40, 0.60)  # of the longer side
SPREAD = (0.75, 1.5)  # of the wanted area: cities are not even
SMALLEST = 0.22  # of the wanted area: a cut that leaves less is not made
REACH_M = 0.003  # a cut runs past its ends by this, so that rounding cannot leave it short
POLYGON = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """What the cutting left: the pieces, which polygon each came from, and the cuts made."""

    geometry: Geometries
    origin: Labels
    cuts: Geometries
    cut_origin: Labels
    cut_area_m2: Floats  # of the piece each cut went through


@dataclass(frozen=True)
class Frame:
    """Pieces seen along their directions: cosine, sine, and bounds (u_min, v_min, u_max, v_max)."""

    cos: Floats
    sin: Floats
    bounds: Floats

    def corners(self, u: Floats, v: Floats) -> NDArray[np.float64]:
        """Points given along the directions, shape (n, k), as eastings and northings (n, k, 2)."""
        cos, sin = self.cos[:, None], self.sin[:, None]
        return np.stack([u * cos - v * sin, u * sin + v * cos], axis=-1)


def long_angle(shapes: Geometries) -> Floats:
    """The direction of each shape's longest side, by its tightest box; radians from east."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(shapely.oriented_envelope(shapes)))
    side = np.diff(ring.reshape(len(shapes), -1, 2)[:, :3], axis=1)
    length = np.hypot(side[..., 0], side[..., 1])
    longest = side[np.arange(len(shapes)), length.argmax(axis=1)]
    angle: Floats = np.arctan2(longest[:, 1], longest[:, 0])
    return angle


def seen_along(shapes: Geometries, angle: Floats) -> Frame:
    """Look at shapes along their directions."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    cos, sin = np.cos(angle), np.sin(angle)
    u = points[:, 0] * cos[owner] + points[:, 1] * sin[owner]
    v = points[:, 1] * cos[owner] - points[:, 0] * sin[owner]
    start = np.searchsorted(owner, np.arange(len(shapes)))
    low = [np.minimum.reduceat(axis, start) for axis in (u, v)]
    high = [np.maximum.reduceat(axis, start) for axis in (u, v)]
    return Frame(cos, sin, np.column_stack([*low, *high]))


def boxes(frame: Frame, bounds: Floats) -> Geometries:
    """Rectangles along the directions, from bounds of shape (n, 4)."""
    west, south, east, north = bounds.T
    u = np.column_stack([west, east, east, west])
    v = np.column_stack([south, south, north, north])
    drawn: Geometries = shapely.polygons(frame.corners(u, v))
    return drawn


def halves(shapes: Geometries, angle: Floats, share: Floats) -> tuple[Geometries, Geometries, Geometries]:
    """Both sides of each shape, and the cut between them, at a share of its longer side."""
    frame = seen_along(shapes, angle)
    u0, v0, u1, v1 = frame.bounds.T
    across = (u1 - u0) >= (v1 - v0)
    at = np.where(across, u0 + share * (u1 - u0), v0 + share * (v1 - v0))
    pad = 1.0
    wide = np.column_stack([u0 - pad, v0 - pad, u1 + pad, v1 + pad])
    low, high, line = wide.copy(), wide.copy(), wide.copy()
    for column, chosen in ((0, across), (1, ~across)):
        low[chosen, column + 2] = at[chosen]
        high[chosen, column] = at[chosen]
        line[chosen, column] = line[chosen, column + 2] = at[chosen]
    ends = shapely.linestrings(frame.corners(line[:, [0, 2]], line[:, [1, 3]]))
    return (
        shapely.intersection(shapes, boxes(frame, low)),
        shapely.intersection(shapes, boxes(frame, high)),
        shapely.intersection(ends, shapes),
    )


def explode(shapes: Geometries) -> tuple[Geometries, Labels]:
    """The polygons in shapes, and which shape each came from."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    plane = (shapely.get_type_id(parts) == POLYGON) & (shapely.area(parts) > 0)
    return parts[plane], owner[plane]


def divide(shapes: Geometries, angle: Floats, wanted_m2: float, random: np.random.Generator) -> Pieces:
    """Cut each shape until its pieces are about as large as wanted.

    Parameters
    ----------
    shapes
        Valid polygons; several parts are taken apart first.
    angle
        One direction per shape, radians from east; its cuts are along and across it.
    wanted_m2
        Mean area of the pieces.
    random
        Where each cut is made.
    """
    geometry, origin = explode(shapes)
    done: list[tuple[Geometries, Labels]] = []
    made: list[tuple[Geometries, Labels, Floats]] = []
    while len(geometry):
        area = shapely.area(geometry)
        large = area > wanted_m2 * random.uniform(*SPREAD, len(geometry)) * 1.25
        done.append((geometry[~large], origin[~large]))
        geometry, origin, area = geometry[large], origin[large], area[large]
        if not len(geometry):
            break
        low, high, cut = halves(geometry, angle[origin], random.uniform(*MIDDLE, len(geometry)))
        parts, owner = explode(np.concatenate([low, high]))
        owner = owner % len(geometry)
        least = np.full(len(geometry), np.inf)
        np.minimum.at(least, owner, shapely.area(parts))
        kept = least > SMALLEST * wanted_m2
        done.append((geometry[~kept], origin[~kept]))
        made.append((cut[kept], origin[kept], area[kept]))
        geometry, origin = parts[kept[owner]], origin[owner[kept[owner]]]
    return gather(done, made)


def gather(done: list[tuple[Geometries, Labels]], made: list[tuple[Geometries, Labels, Floats]]) -> Pieces:
    """Put the rounds together."""
    empty = np.array([], dtype=object), np.array([], dtype=np.int64), np.array([], dtype=float)
    geometry, origin = (np.concatenate(part) for part in zip(*done, empty[:2], strict=True))
    cuts, cut_origin, area = (np.concatenate(part) for part in zip(*made, empty, strict=True))
    lines, owner = shapely.get_parts(cuts, return_index=True)
    straight = shapely.length(lines) > 1.0
    lines, owner = lines[straight], owner[straight]
    return Pieces(geometry, origin, lines, cut_origin[owner], area[owner])


def running(owner: Labels) -> Labels:
    """Count from 0 inside each run of equal owners."""
    start = np.flatnonzero(np.diff(owner, prepend=-1))
    return np.arange(len(owner)) - np.repeat(start, np.diff(np.append(start, len(owner))))


def stretched(lines: Geometries) -> Geometries:
    """Straight lines, made longer by `REACH_M` at both ends."""
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    way = np.diff(ends, axis=1) / shapely.length(lines)[:, None, None] * REACH_M
    longer: Geometries = shapely.linestrings(np.concatenate([ends[:, :1] - way, ends[:, 1:] + way], axis=1))
    return longer


def exact_faces(rings: Geometries, cuts: Geometries) -> tuple[Geometries, Labels]:
    """The faces that cuts leave of polygons, meeting exactly on the 1 mm grid.

    Parameters
    ----------
    rings
        Polygons that lie apart from one another by much more than a millimetre.
    cuts
        Straight lines inside them.

    Returns
    -------
    tuple
        The faces, and for each the index of its polygon; polygon by polygon, from north to south.
    """
    lines = np.concatenate([shapely.boundary(rings), stretched(cuts)])
    net = shapely.union_all(lines, grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    inner = shapely.point_on_surface(faces)
    which, owner = STRtree(rings).query(inner, predicate="intersects")
    faces, inner = shapely.normalize(faces[which]), inner[which]
    order = np.lexsort((shapely.get_x(inner), -shapely.get_y(inner), owner))
    return faces[order], owner[order]
