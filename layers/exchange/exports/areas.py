"""An area to clip to, as people draw it: a GeoJSON polygon in longitude and latitude."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from layers.ogc import axes
from spatial.crs import CRS84
from spatial.errors import Kind, OnemapError

MOST_POINTS = 100_000


class BadArea(OnemapError):
    """An area that cannot be clipped to."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-area"
    message: ClassVar = (
        "the area is no polygon in longitude and latitude near the city, or has over {limit} points"
    )
    message_zh: ClassVar = "区域不是本市附近以经纬度表示的多边形，或超过 {limit} 个点"


def drawn_area(given: Mapping[str, Any]) -> bytes:
    """WKB in the storage CRS of a GeoJSON polygon or multipolygon.

    Raises
    ------
    BadArea
    """
    moved = axes.geometry_in(_polygon(given), CRS84)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise BadArea(limit=MOST_POINTS)
    return bytes(shapely.to_wkb(shapely.make_valid(moved)))


def _polygon(given: Mapping[str, Any]) -> BaseGeometry:
    try:
        shape = shapely.from_geojson(json.dumps(dict(given)))
    except (shapely.GEOSException, ValueError, TypeError, RecursionError):
        raise BadArea(limit=MOST_POINTS) from None
    points = shapely.get_coordinates(shape)
    limit = axes.storable(CRS84)
    inside = (points >= (limit.xmin, limit.ymin)) & (points <= (limit.xmax, limit.ymax))
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty or len(points) > MOST_POINTS:
        raise BadArea(limit=MOST_POINTS)
    if not inside.all():
        raise BadArea(limit=MOST_POINTS)
    return shape
