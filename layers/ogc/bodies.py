"""What a body and its headers say of a feature: geometry, coordinate system, version."""

import json
from typing import Any, ClassVar

import numpy as np
import shapely

from layers.actions.errors import VersionRequired
from layers.ogc import axes
from spatial.crs import CRS84, Crs
from spatial.errors import Kind, OnemapError


class BadGeometry(OnemapError):
    """What was sent is no GeoJSON geometry."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-geometry"
    message: ClassVar = "edit {number}: the geometry is no GeoJSON geometry"
    message_zh: ClassVar = "第 {number} 条编辑：几何不是有效的 GeoJSON"


class HasHeights(OnemapError):
    """Layers are plane; heights would be lost without a word."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "has-heights"
    message: ClassVar = "edit {number}: the geometry has heights; send it in two dimensions"
    message_zh: ClassVar = "第 {number} 条编辑：几何含高程，请发送二维几何"


class BadMatch(OnemapError):
    """If-Match holds no version."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-if-match"
    message: ClassVar = 'If-Match is the feature\'s ETag, such as "3"'
    message_zh: ClassVar = 'If-Match 应为要素的 ETag，例如 "3"'


def version_matched(if_match: str | None) -> int:
    """The version that `If-Match` names.

    Raises
    ------
    VersionRequired
        It is not given.
    BadMatch
    """
    if if_match is None:
        raise VersionRequired()
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < 2**31):
        raise BadMatch()
    return int(text)


def content_crs_of(text: str | None) -> Crs:
    """The coordinate system that `Content-Crs` names; CRS84 if it is not given."""
    return CRS84 if text is None else axes.output_crs(text.strip().removeprefix("<").removesuffix(">"))


def geometry_given(given: Any, crs: Crs, number: int) -> Any:
    """A GeoJSON geometry in the storage CRS.

    Raises
    ------
    BadGeometry, HasHeights
        Naming the edit's number.
    """
    try:
        shape = shapely.from_geojson(json.dumps(given))
    except (shapely.GEOSException, ValueError, RecursionError) as error:
        raise BadGeometry(number=number) from error
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise BadGeometry(number=number)
    if shape.has_z:
        raise HasHeights(number=number)
    return axes.geometry_in(shape, crs)
