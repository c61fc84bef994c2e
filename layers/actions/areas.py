"""The area of a grant, as people give it."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import shapely
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon

from layers.actions.grants import AREA_SRID
from layers.queries import division_area
from spatial.errors import Kind, OnemapError


class BadArea(OnemapError):
    """No area that a right could be bound to."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-grant-area"
    message: ClassVar = "the area is a valid GeoJSON polygon in longitude and latitude, or a division's code"
    message_zh: ClassVar = "范围应为有效的 GeoJSON 面（经度、纬度），或行政区划代码"


def area_given(document: Mapping[str, Any]) -> tuple[MultiPolygon, str]:
    """Read a GeoJSON polygon (geometry or feature; longitude, latitude) or `{"division": CODE}`.

    Returns
    -------
    (MultiPolygon, str)
        On CGCS2000 (EPSG:4490), and what the area is called.

    Raises
    ------
    BadArea
    """
    if set(document) == {"division"}:
        code = str(document["division"])
        found = division_area(code, AREA_SRID)
        if found is None:
            raise BadArea()
        return _multi(GEOSGeometry(memoryview(found), srid=AREA_SRID)), f"division:{code}"
    geometry = document.get("geometry", document)
    # A `crs` member says nothing that is true here.
    if not isinstance(geometry, dict) or "crs" in geometry or "crs" in document:
        raise BadArea()
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
        return _multi(GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=AREA_SRID)), "drawn"
    except (ValueError, TypeError, RecursionError, shapely.GEOSException, GEOSException) as error:
        raise BadArea() from error


def _multi(shape: GEOSGeometry) -> MultiPolygon:
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.empty or not shape.valid:
        raise BadArea()
    west, south, east, north = shape.extent
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadArea()
    return shape if isinstance(shape, MultiPolygon) else MultiPolygon(shape, srid=AREA_SRID)
