"""Where a fault is, as a map takes it: GeoJSON in longitude and latitude on CGCS2000."""

import json
from typing import Any

import numpy as np
import shapely
from django.conf import settings
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from spatial.crs import transformation

LON_LAT = 4490
DIGITS = 8  # of a degree: a millimetre
MOST_POINTS = 5_000  # of a place; a larger one is told by its envelope


def ground_of(shape: BaseGeometry) -> dict[str, Any]:
    """A piece of ground (storage CRS) as GeoJSON."""
    told = shape if shapely.get_num_coordinates(shape) <= MOST_POINTS else shapely.envelope(shape)
    move = transformation(settings.ONEMAP_SRID, LON_LAT, settings.ONEMAP_CRS_PARAMETERS).apply
    moved = shapely.transform(told, lambda points: np.round(move(points), DIGITS))
    found: dict[str, Any] = json.loads(shapely.to_geojson(moved))
    return found


def place_of(shapes: NDArray[np.object_], *, one: bool) -> dict[str, Any] | None:
    """A point on the first shape, or the envelope of all of them; None if there is no shape."""
    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not len(there):
        return None
    return ground_of(shapely.point_on_surface(there[0]) if one else shapely.box(*shapely.total_bounds(there)))
