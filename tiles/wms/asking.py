"""What a WMS request asks, read strictly."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from layers.ogc import axes
from layers.ogc.features_api.parameters import BadFormat
from spatial.crs import Crs
from spatial.errors import Kind, OnemapError
from spatial.numbers import BadBBox, BadNumber, BBox, parse_bbox, parse_integer, shown
from tiles.kvp import BadParameter, Kvp

VERSIONS = ("1.3.0", "1.1.1")
MOST_LAYERS = 50
MOST_SIDE = 4096
COLOUR = re.compile(r"0x([0-9a-fA-F]{6})\Z")
FORMATS = {
    "image/png": "image/png",
    "image/png; mode=8bit": "image/png; mode=8bit",
    "image/png8": "image/png; mode=8bit",
    "image/jpeg": "image/jpeg",
    "image/webp": "image/webp",
}
INFO_FORMATS = (
    "text/plain",
    "text/html",
    "application/json",
    "application/geo+json",
    "application/vnd.ogc.gml",
)
MOST_FEATURES = 50  # of a layer, told at one place


@dataclass(frozen=True, slots=True)
class MapAsked:
    """A GetMap, or the map of a GetFeatureInfo. `box` has east before north, whatever the version's order."""

    version: str
    layers: tuple[tuple[str, str], ...]  # name and style
    crs: Crs
    box: BBox
    size: tuple[int, int]


def version_of(kvp: Kvp) -> str:
    """The version to speak: the one asked for, else the nearest offered (OGC 06-042, 6.2.4)."""
    asked = kvp.get("VERSION") or kvp.get("WMTVER")
    return "1.1.1" if asked.startswith(("1.0", "1.1")) else "1.3.0"


def read_map(kvp: Kvp) -> MapAsked:
    """The layers, the place and the size.

    Raises
    ------
    MissingParameter, BadParameter, BadBBox, BadNumber, spatial.crs.UnknownCrs
    """
    version = version_of(kvp)
    name = "CRS" if version == "1.3.0" else "SRS"
    crs = axes.output_crs(kvp.need(name))
    text = kvp.need("BBOX")
    # 1.1.1 writes east before north in every CRS.
    box = axes.box_from_text(text, crs) if version == "1.3.0" else parse_bbox(text)
    if not (box.xmin < box.xmax and box.ymin < box.ymax):
        raise BadBBox(value=shown(text), reason="min >= max")
    size = (side(kvp, "WIDTH"), side(kvp, "HEIGHT"))
    return MapAsked(version, layers_and_styles(kvp.need("LAYERS"), kvp.get("STYLES")), crs, box, size)


def side(kvp: Kvp, name: str) -> int:
    """A width or a height, pixels."""
    return parse_integer(kvp.need(name), name=name, low=1, high=MOST_SIDE)


def layers_and_styles(layers: str, styles: str) -> tuple[tuple[str, str], ...]:
    """The layers with the style of each; an empty list of styles is the default one of each.

    Raises
    ------
    BadParameter
        Too many, one twice, or as many styles as there are no layers.
    """
    names = layers.split(",")
    if len(names) > MOST_LAYERS:
        raise BadParameter(parameter="LAYERS", wanted=f"at most {MOST_LAYERS} layers")
    if len(set(names)) < len(names):
        raise BadParameter(parameter="LAYERS", wanted="each layer once")
    wanted: Sequence[str] = styles.split(",") if styles else [""] * len(names)
    if len(wanted) != len(names):
        raise BadParameter(parameter="STYLES", wanted="as many as LAYERS, or empty")
    return tuple(zip(names, wanted, strict=True))


def read_format(kvp: Kvp) -> str:
    """The media type of the picture.

    Raises
    ------
    BadFormat
    """
    found = FORMATS.get(kvp.need("FORMAT").strip().lower())
    if found is None:
        raise BadFormat(offered=", ".join(dict.fromkeys(FORMATS.values())))
    return found


def read_background(kvp: Kvp) -> str | None:
    """The background as #rrggbb; None for a transparent picture."""
    colour = COLOUR.match(kvp.get("BGCOLOR", "0xFFFFFF"))
    if colour is None:
        raise BadParameter(parameter="BGCOLOR", wanted="0xRRGGBB")
    clear = kvp.one_of("TRANSPARENT", {"true": "true", "false": ""}, "false")
    return None if clear else f"#{colour[1].lower()}"


@dataclass(frozen=True, slots=True)
class InfoAsked:
    """A GetFeatureInfo: the map it is about, which of its layers, where (column and row), and how told."""

    map: MapAsked
    layers: tuple[str, ...]
    place: tuple[int, int]
    media: str
    most: int


class BadPoint(OnemapError):
    """A place outside the picture."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-point"
    message: ClassVar = "{names} must lie within the picture"
    message_zh: ClassVar = "{names} 必须位于图像之内"


def read_info(kvp: Kvp) -> InfoAsked:
    """The question of a GetFeatureInfo.

    Raises
    ------
    BadPoint, BadFormat, BadParameter, and what `read_map` raises
    """
    asked = read_map(kvp)
    names = ("I", "J") if asked.version == "1.3.0" else ("X", "Y")
    try:
        column, row = (
            parse_integer(kvp.need(name), name=name, low=0, high=side - 1)
            for name, side in zip(names, asked.size, strict=True)
        )
    except BadNumber as error:
        raise BadPoint(names=", ".join(names)) from error
    layers = tuple(dict.fromkeys(kvp.need("QUERY_LAYERS").split(",")))
    if not set(layers) <= {name for name, _ in asked.layers}:
        raise BadParameter(parameter="QUERY_LAYERS", wanted="some of LAYERS")
    media = kvp.get("INFO_FORMAT", "text/plain").strip().lower()
    if media not in INFO_FORMATS:
        raise BadFormat(offered=", ".join(INFO_FORMATS))
    most = parse_integer(kvp.get("FEATURE_COUNT", "1"), name="FEATURE_COUNT", low=1)
    return InfoAsked(asked, layers, (column, row), media, min(most, MOST_FEATURES))
