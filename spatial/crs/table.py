"""The coordinate systems that have a name here, by EPSG code."""

import math
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import pyproj
from pyproj.exceptions import CRSError

from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox, shown

OUTPUT_SRIDS = (4326, 3857, 4490, 4547)
ZONES_6 = range(4491, 4502)  # CGCS2000 6-degree, zones 13-23, number in front of the easting
MERIDIANS_6 = range(4502, 4513)  # CGCS2000 6-degree, central meridians 75E-135E
ZONES_3 = range(4513, 4534)  # CGCS2000 3-degree, zones 25-45, number in front of the easting
MERIDIANS_3 = range(4534, 4555)  # CGCS2000 3-degree, central meridians 75E-135E
LEGACY_SRIDS = (2383, 2435, 4610, 4214, 2326)
INPUT_SRIDS = tuple(sorted({*OUTPUT_SRIDS, *range(4491, 4555), *LEGACY_SRIDS}))

_SEMI_MAJOR = 6_378_137.0
_MERIDIAN_HALFWIDTH = 10.0  # degrees either side of the central meridian within which numbers make sense
_LONGEST_NAME = 100

_EPSG_FORMS = re.compile(
    r"(?:EPSG:|urn:ogc:def:crs:EPSG:[0-9.]{0,8}:|https?://www\.opengis\.net/def/crs/EPSG/[0-9.]{1,8}/)([1-9][0-9]{3,5})",
    re.ASCII | re.IGNORECASE,
)
_CRS84_FORMS = re.compile(
    r"https?://www\.opengis\.net/def/crs/OGC/(?:0|1\.3)/CRS84|urn:ogc:def:crs:OGC:(?:1\.3)?:CRS84"
    r"|OGC:CRS84|CRS:84|CRS84",
    re.ASCII | re.IGNORECASE,
)

_NAMES_ZH = {
    4326: "WGS 84 经纬度",
    3857: "网络墨卡托（WGS 84）",
    4490: "2000国家大地坐标系 经纬度",
    2383: "1980西安坐标系 / 高斯-克吕格 3度带 中央经线114°E",
    2435: "1954年北京坐标系 / 高斯-克吕格 3度带 中央经线114°E",
    4610: "1980西安坐标系 经纬度",
    4214: "1954年北京坐标系 经纬度",
    2326: "香港1980方格网",
}


class UnknownCrs(OnemapError):
    """A coordinate system is named that is not accepted here."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "unknown-crs"
    message: ClassVar[str] = "coordinate system '{crs}' is not accepted here; accepted: {accepted}"
    message_zh: ClassVar[str] = "此处不接受坐标系“{crs}”；可用：{accepted}"


@dataclass(frozen=True, slots=True)
class Crs:
    """One coordinate system as a standard names it.

    Attributes
    ----------
    srid : int
        EPSG code; CRS84 has that of WGS 84.
    uri : str
        The name of OGC API.
    code : str
        'EPSG:4547', or 'CRS84'.
    north_first : bool
        Whether the definition puts north (latitude) before east (longitude).
    geographic : bool
        Degrees, not metres.
    name_zh, name_en : str
        For people.
    proj4 : str
        Definition for the browser; '+axis=neu' where north comes first.
    area : BBox
        Stated area of use, longitude and latitude, degrees.
    """

    srid: int
    uri: str
    code: str
    north_first: bool
    geographic: bool
    name_zh: str
    name_en: str
    proj4: str
    area: BBox


CRS84 = Crs(
    srid=4326,
    uri="http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    code="CRS84",
    north_first=False,
    geographic=True,
    name_zh="WGS 84 经纬度（经度在前）",
    name_en="WGS 84 longitude-latitude",
    proj4="+proj=longlat +datum=WGS84 +no_defs",
    area=BBox(-180.0, -90.0, 180.0, 90.0),
)


def parse_crs(text: str, accepted: Collection[int]) -> Crs:
    """The system that `text` names, if it is one of `accepted`.

    Parameters
    ----------
    text : str
        'EPSG:n', an OGC URN or URI of EPSG, one of these in brackets, or a name of CRS84.
    accepted : collection of int
        EPSG codes taken at this door; CRS84 is taken where 4326 is.

    Raises
    ------
    UnknownCrs
        Any other text, or a code that is not accepted.

    Examples
    --------
    >>> parse_crs("http://www.opengis.net/def/crs/EPSG/0/4547", {4547}).north_first
    True
    """
    name = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if len(name) <= _LONGEST_NAME:
        if 4326 in accepted and _CRS84_FORMS.fullmatch(name):
            return CRS84
        form = _EPSG_FORMS.fullmatch(name)
        if form is not None and int(form[1]) in accepted:
            return crs_of(int(form[1]))
    raise UnknownCrs(crs=shown(text, 80), accepted=_listed(accepted))


@cache
def crs_of(srid: int) -> Crs:
    """The system with this EPSG code, in the definition's own axis order.

    Raises
    ------
    UnknownCrs
        EPSG has no such system, or it is neither geographic nor a plane in metres.
    """
    definition = definition_of(srid)
    geographic = definition.is_geographic
    if len(definition.axis_info) != 2 or not (geographic or definition.is_projected):
        raise UnknownCrs(crs=f"EPSG:{srid}", accepted=_listed(INPUT_SRIDS))
    north_first = definition.axis_info[0].direction == "north"
    area = definition.area_of_use
    return Crs(
        srid=srid,
        uri=f"http://www.opengis.net/def/crs/EPSG/0/{srid}",
        code=f"EPSG:{srid}",
        north_first=north_first,
        geographic=geographic,
        name_zh=_name_zh(srid, definition.name),
        name_en=definition.name,
        proj4=_proj4(definition, north_first),
        area=BBox(*area.bounds) if area else BBox(-180.0, -90.0, 180.0, 90.0),
    )


def definition_of(srid: int) -> pyproj.CRS:
    """PROJ's definition of an EPSG code (of the table or of the operator's settings, never a text).

    Raises
    ------
    UnknownCrs
        EPSG has no such system.
    """
    try:
        return pyproj.CRS.from_epsg(srid)
    except CRSError:
        raise UnknownCrs(crs=f"EPSG:{srid}", accepted=_listed(INPUT_SRIDS)) from None


@cache
def numeric_bounds(srid: int) -> BBox:
    """The numbers a coordinate can have in this system, x/y order, its own units; outside lies no place.

    Transverse Mercator: 10 degrees either side of the central meridian and from pole to pole, rounded outward
    to a metre; degrees: the whole globe; Web Mercator: its square; other planes: their area of use, four
    times as wide and high.
    """
    crs = crs_of(srid)
    if crs.geographic:
        return BBox(-180.0, -90.0, 180.0, 90.0)
    if srid == 3857:
        edge = math.pi * _SEMI_MAJOR
        return BBox(-edge, -edge, edge, edge)
    definition = definition_of(srid)
    parameters = parameters_of(definition)
    project = pyproj.Transformer.from_crs(definition.geodetic_crs, definition, always_xy=True)
    if parameters is None:
        west, south, east, north = project.transform_bounds(*crs.area)
        wide, high = 1.5 * (east - west), 1.5 * (north - south)
        return BBox(west - wide, south - high, east + wide, north + high)
    central, _ = parameters
    xs, _ = project.transform([central - _MERIDIAN_HALFWIDTH, central + _MERIDIAN_HALFWIDTH], [0.0, 0.0])
    _, ys = project.transform([central, central], [-90.0, 90.0])
    return BBox(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))


def parameters_of(definition: pyproj.CRS) -> tuple[float, float] | None:
    """Central meridian and latitude of origin (degrees) of a transverse Mercator system, else None."""
    operation = definition.coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator":
        return None
    values = {parameter.name: parameter.value for parameter in operation.params}
    return float(values["Longitude of natural origin"]), float(values["Latitude of natural origin"])


def _listed(accepted: Collection[int]) -> str:
    codes = [f"EPSG:{srid}" for srid in sorted(accepted)]
    return ", ".join(codes) if len(codes) <= 12 else ", ".join([*codes[:12], "…"])


def _name_zh(srid: int, name: str) -> str:
    if srid in _NAMES_ZH:
        return _NAMES_ZH[srid]
    if srid in ZONES_6:
        return f"2000国家大地坐标系 / 高斯-克吕格 6度带 第{srid - 4491 + 13}带"
    if srid in MERIDIANS_6:
        return f"2000国家大地坐标系 / 高斯-克吕格 6度带 中央经线{75 + 6 * (srid - 4502)}°E"
    if srid in ZONES_3:
        return f"2000国家大地坐标系 / 高斯-克吕格 3度带 第{srid - 4513 + 25}带"
    if srid in MERIDIANS_3:
        return f"2000国家大地坐标系 / 高斯-克吕格 3度带 中央经线{75 + 3 * (srid - 4534)}°E"
    return name


_PLANE = "+lat_0={lat:.15g} +lon_0={lon:.15g} +k={k:.15g} +x_0={x:.15g} +y_0={y:.15g}"


def _proj4(definition: pyproj.CRS, north_first: bool) -> str:
    """The definition in the terms the browser's projection library reads."""
    with warnings.catch_warnings():  # pyproj warns that the text says less than the definition
        warnings.simplefilter("ignore", UserWarning)
        known = definition.to_dict()
    if definition.to_epsg() == 3857:
        return "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +no_defs"
    figure = f"+datum={known['datum']}" if "datum" in known else f"+ellps={known.get('ellps', 'WGS84')}"
    axis = " +axis=neu" if north_first else ""
    if definition.is_geographic:
        return f"+proj=longlat {figure}{axis} +no_defs"
    plane = _PLANE.format(
        lat=known.get("lat_0", 0),
        lon=known.get("lon_0", 0),
        k=known.get("k", 1),
        x=known.get("x_0", 0),
        y=known.get("y_0", 0),
    )
    zone = f" +zone={known['zone']}" if "zone" in known else ""
    return f"+proj={known['proj']} {plane}{zone} {figure} +units={known.get('units', 'm')}{axis} +no_defs"
