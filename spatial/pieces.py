"""Pieces of ground: how wide they are, which are slivers, and what is left of them when they shrink.

Coordinates are metres of one projected system, x before y; areas are square metres on its plane.
"""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries = NDArray[np.object_]
Indexes = NDArray[np.int64]


def is_wide(pieces: Geometries, width: float) -> NDArray[np.bool_]:
    """Whether a circle of diameter `width` fits into each polygon.

    Parameters
    ----------
    pieces : array of Polygon
        Metres.

    Notes
    -----
    The radius r of the largest circle in a region of area A and perimeter P obeys A/P <= r <= √(A/π): most pieces
    are settled by that, the others are eroded.
    """
    area, length = shapely.area(pieces), shapely.length(pieces)
    radius = width / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        wide: NDArray[np.bool_] = (length > 0) & (area / length >= radius)
    doubtful = np.flatnonzero(~wide & (area >= np.pi * radius**2))
    _, owners = eroded(pieces[doubtful], radius)
    wide[doubtful[owners]] = True
    return wide


def is_sliver(shapes: Geometries, sliver_m2: float, thinness: float) -> NDArray[np.bool_]:
    """Which polygons are slivers by the rule of `spatial.topology`.

    Examples
    --------
    >>> shapes = np.array([shapely.box(0, 0, 0.5, 0.5), shapely.box(0, 0, 0.5, 90), shapely.box(0, 0, 20, 4000)])
    >>> is_sliver(shapes, 1.0, 0.05).tolist()
    [True, True, False]
    """
    area, length = shapely.area(shapes), shapely.length(shapes)
    with np.errstate(divide="ignore", invalid="ignore"):
        thin = (4 * np.pi * area / length**2 < thinness) & (2 * area / length < np.sqrt(sliver_m2))
    found: NDArray[np.bool_] = (length > 0) & ((area < sliver_m2) | thin)
    return found


def eroded(pieces: Geometries, radius: float) -> tuple[Geometries, Indexes]:
    """The polygons that are left when each piece loses `radius` all around, and whose they are.

    GEOS turns some rings that vanish inside out; such a remainder lies nearer to the outline than it can be.
    """
    left, owners = polygons_of(grown(pieces, -radius))
    inside = shapely.point_on_surface(left)
    true = shapely.distance(inside, shapely.boundary(pieces[owners])) >= radius * (1 - 1e-4)
    return left[true], owners[true]


def grown(shapes: Geometries, by: float) -> Geometries:
    """The polygons grown (or shrunk) by a distance, with their corners kept."""
    result: Geometries = shapely.buffer(shapes, by, join_style="mitre", mitre_limit=5.0)
    return result


def polygons_of(shapes: Geometries) -> tuple[Geometries, Indexes]:
    """The single polygons of geometries, without the lines and points that an overlay may leave; and whose."""
    parts, owners = shapely.get_parts(shapes, return_index=True)
    inner, places = shapely.get_parts(parts, return_index=True)
    kept = (shapely.get_type_id(inner) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(inner)
    return inner[kept], owners[places][kept]


def polygonal(geom: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry as one."""
    if geom.geom_type in {"Polygon", "MultiPolygon"}:
        return geom
    return shapely.multipolygons(polygons_of(np.array([geom], dtype=object))[0])
