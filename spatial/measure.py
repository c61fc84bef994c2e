"""Lengths and areas, on the plane of a projected system and on the CGCS2000 ellipsoid.

Plane figures are metres and square metres of the projected system the geometry is in (what plans state);
ellipsoidal figures take longitude and latitude in degrees and are what land statistics need. A polygon's
length is its perimeter, holes included. Coordinates are x (longitude) before y.
"""

from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from spatial.errors import Kind, OnemapError

CGCS2000 = Geod(a=6_378_137.0, rf=298.257222101)


class OpenRing(OnemapError):
    """A ring does not end where it begins."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "ring-open"
    message: ClassVar[str] = "a ring of {points} points does not end where it begins"
    message_zh: ClassVar[str] = "{points} 个点的环首尾不闭合"


def plane_area(geom: BaseGeometry) -> float:
    """Area on the plane, square metres; the geometry is in a projected system in metres."""
    return float(shapely.area(geom))


def plane_length(geom: BaseGeometry) -> float:
    """Length of a line or perimeter of a polygon on the plane, metres."""
    return float(shapely.length(geom))


def plane_areas(geoms: NDArray[np.object_]) -> NDArray[np.float64]:
    """`plane_area` of each geometry; NaN where there is none."""
    return np.asarray(shapely.area(geoms), dtype=np.float64)


def plane_lengths(geoms: NDArray[np.object_]) -> NDArray[np.float64]:
    """`plane_length` of each geometry; NaN where there is none."""
    return np.asarray(shapely.length(geoms), dtype=np.float64)


def ring_area(ring: NDArray[np.float64]) -> float:
    """Area enclosed by one ring, measured on the CGCS2000 ellipsoid.

    Parameters
    ----------
    ring : array, shape (n, 2), n >= 4
        Longitude and latitude, degrees. The last point repeats the first.

    Returns
    -------
    float
        Area in square metres, never negative; winding order is ignored.

    Raises
    ------
    OpenRing
        The first and last points differ.

    Notes
    -----
    Karney (2013), "Algorithms for geodesics", J. Geodesy 87. Cost: linear in n.

    Examples
    --------
    >>> square = np.array([[0, 0], [0.001, 0], [0.001, 0.001], [0, 0.001], [0, 0]])
    >>> round(ring_area(square))
    12309
    """
    if not np.array_equal(ring[0], ring[-1]):
        raise OpenRing(points=len(ring))
    area, _ = CGCS2000.polygon_area_perimeter(ring[:, 0], ring[:, 1])
    return abs(float(area))


def geodesic_area(geom: BaseGeometry) -> float:
    """Area on the CGCS2000 ellipsoid, square metres, less its holes; 0 for lines and points.

    Parameters
    ----------
    geom : geometry
        Longitude and latitude, degrees. Edges are geodesics.
    """
    total = 0.0
    for part in shapely.get_parts(shapely.get_parts(geom)):
        if part.geom_type == "Polygon" and not part.is_empty:
            holes = (ring_area(shapely.get_coordinates(hole)) for hole in part.interiors)
            total += ring_area(shapely.get_coordinates(part.exterior)) - sum(holes)
    return total


def geodesic_length(geom: BaseGeometry) -> float:
    """Length of a line, or perimeter of a polygon, on the CGCS2000 ellipsoid, metres; 0 for points.

    Parameters
    ----------
    geom : geometry
        Longitude and latitude, degrees. Edges are geodesics.
    """
    total = 0.0
    for part in shapely.get_parts(shapely.get_parts(geom)):
        for line in _lines(part):
            path = shapely.get_coordinates(line)
            total += float(CGCS2000.line_length(path[:, 0], path[:, 1])) if len(path) > 1 else 0.0
    return total


def _lines(part: BaseGeometry) -> list[BaseGeometry]:
    if part.is_empty or part.geom_type == "Point":
        return []
    return [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
