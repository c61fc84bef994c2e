"""The gate before MapProxy: who asks, which layers and styles, and how each may be shown.

Every refusal is written here or in the services that ask; what passes is a request that must succeed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO
from typing import Any, ClassVar

import shapely
from django.conf import settings
from mapproxy.image.mask import mask_image
from mapproxy.util.coverage import load_limited_to
from PIL import Image

from accounts.principals import Principal
from layers import rights
from layers.actions import restyle
from layers.actions.restyle import DEFAULT
from layers.catalogue import Catalogue, LayerNotFound
from layers.moments import Moment
from layers.rights import Action, Scope
from layers.styles.model import fields_used
from layers.styles.reading import AnyStyle
from layers.styles.showing import label_field, shown_style
from spatial.crs import Crs
from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox
from spatial.tilegrids import TileMatrixSet
from tiles import kept
from tiles.drawing.pictures import Part
from tiles.proxy import calls, source


class StyleNotFound(OnemapError):
    """A layer has no style of this name."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "style-not-found"
    message: ClassVar = "layer {layer} has no style of this name; leave STYLES empty for the default one"
    message_zh: ClassVar = "图层 {layer} 没有该样式；STYLES 留空即为默认样式"


class Shown(StrEnum):
    """How a caller may be shown a layer (architecture.md, decision 11)."""

    FULL = "full"  # as everybody
    CUT = "cut"  # as everybody, cut at an area
    LIVE = "live"  # drawn for what this caller may see


@dataclass(frozen=True, slots=True)
class Passed:
    """A layer that passed the gate."""

    scope: Scope
    style: AnyStyle
    shown: Shown


def passed(principal: Principal, name: str, style: str, known: Catalogue) -> Passed:
    """Let a caller through to a layer in a style.

    Raises
    ------
    LayerNotFound, NotGranted, StyleNotFound
    """
    found = rights.scope(principal, name, Action.VIEW, of=known)
    if found.layer.is_table:
        raise LayerNotFound(layer=name)
    document = restyle.published(found.layer, style or DEFAULT)
    if document is None:
        raise StyleNotFound(layer=name)
    judged = _judged(found, document)
    # Caches hold the default style.
    return judged if style in {"", DEFAULT} else replace(judged, shown=Shown.LIVE)


def _judged(found: Scope, style: Mapping[str, Any]) -> Passed:
    """Which kind of picture, in the style that the caller may be shown."""
    open_fields = {one.field.name for one in found.fields if one.areas is None}
    visible = {one.field.name for one in found.fields}
    model = shown_style(style, found.layer.family, visible)
    label = label_field(model, found.layer)
    if not fields_used(model) | ({label} if label else set()) <= open_fields:
        return Passed(found, model, Shown.LIVE)
    if found.areas is None:
        return Passed(found, model, Shown.FULL)
    # The label of a feature outside an area may reach into it: those are not even drawn.
    return Passed(found, model, Shown.LIVE if label else Shown.CUT)


def extent_of(found: Scope, extent: Sequence[float] | None) -> Sequence[float] | None:
    """A layer's extent, or the caller's own area of it (storage CRS: xmin, ymin, xmax, ymax)."""
    if found.areas is None:
        return extent
    return [float(side) for side in shapely.total_bounds([shapely.from_wkb(area) for area in found.areas])]


def whole(found: Passed) -> Scope:
    """The scope of everybody for what is shown in full."""
    return (
        found.scope
        if found.shown is Shown.LIVE
        else rights.operator_scope(found.scope.layer.name, Action.VIEW)
    )


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the world, how large, and how encoded. `box` has east before north; no background: transparent."""

    crs: Crs
    box: BBox
    size: tuple[int, int]
    media: str  # as offered, "image/png; mode=8bit" too
    background: str | None  # "#rrggbb"


ENCODINGS = {
    "image/png": source.PNG,
    "image/png; mode=8bit": "png8:m=h",
    "image/jpeg": "jpeg85",
    "image/webp": "webp:lossless=1:quality=30:method=1",
}


def get_map(layers: Sequence[Passed], moments: Sequence[Moment], view: View, known: Catalogue) -> bytes:
    """One picture of several layers, the first lowest.

    Raises
    ------
    tiles.drawing.pool.NotDrawn
    """
    limited = any(one.scope.areas is not None for one in layers)
    # What MapProxy has to cut and lay together comes as PNG; a whole picture is passed on as it was drawn.
    media = "image/png" if limited else view.media.partition(";")[0]
    given = zip(layers, moments, strict=True)
    parts = {one.scope.layer.name: Part(whole(one), moment, one.style) for one, moment in given}
    drawn = (
        source.Order(parts)
        if limited
        else source.Order(parts, media, ENCODINGS[view.media], view.background or _opaque(view.media))
    )
    with source.ordered(drawn) as number:
        query = {
            "service": "WMS",
            "version": "1.1.1",
            "request": "GetMap",
            "layers": ",".join(one.scope.layer.name for one in layers),
            "styles": "",
            "srs": f"EPSG:{view.crs.srid}",
            "bbox": ",".join(f"{side:.12g}" for side in view.box),
            "width": str(view.size[0]),
            "height": str(view.size[1]),
            "format": media,
            "transparent": "false" if drawn.background or view.background else "true",
            "bgcolor": (view.background or "#ffffff").replace("#", "0x"),
            source.PARAMETER: number,
        }
        body = calls.call(known, "/service", query, _authorizer(layers))
    return encoded(body, view.media) if limited else body


def _opaque(media: str) -> str | None:
    return "#ffffff" if media == "image/jpeg" else None


def encoded(body: bytes, media: str) -> bytes:
    """A PNG of 32 bits in the encoding asked for."""
    if media == "image/png":
        return body
    image, target = Image.open(BytesIO(body)), BytesIO()
    if media == "image/jpeg":
        ground = Image.new("RGB", image.size, "#ffffff")
        ground.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
        ground.save(target, "JPEG", quality=85)
    elif media == "image/webp":
        image.save(target, "WEBP", lossless=True, quality=30, method=1)
    else:
        image.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE).save(target, "PNG")
    return target.getvalue()


def kept_tile(
    found: Passed, grid: TileMatrixSet, index: tuple[int, int, int], known: Catalogue
) -> tuple[bytes, kept.Shows]:
    """A PNG tile as it is kept, cut at the caller's area, and what it shows.

    Parameters
    ----------
    index
        z, x, y.

    Raises
    ------
    tiles.drawing.pool.NotDrawn
    """
    z, x, y = index
    path = f"/wmts/{found.scope.layer.name}/{grid.identifier}/{z - grid.min_level}/{x}/{y}.png"
    group = kept.Group.of(found.scope.layer, grid, index)
    body, shows = kept.tile(group, index, lambda: calls.call(known, path, {}, None))
    if found.shown is Shown.CUT:
        body = _cut(body, found.scope, grid, grid.bounds(*index))
    return body, shows


def _cut(body: bytes, found: Scope, grid: TileMatrixSet, box: BBox) -> bytes:
    """A tile without what lies outside the caller's areas; of the very bytes that were judged."""
    image = mask_image(
        Image.open(BytesIO(body)), tuple(box), f"EPSG:{grid.srid}", load_limited_to(_limits(found))
    )
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def _limits(found: Scope) -> dict[str, Any]:
    """The caller's areas as MapProxy takes them."""
    area = shapely.union_all([shapely.from_wkb(part) for part in found.areas or ()])
    return {"geometry": area, "srs": f"EPSG:{settings.ONEMAP_SRID}"}


def _authorizer(layers: Sequence[Passed]) -> Any:
    """MapProxy's question about each layer, answered: cut at the caller's areas where there are any."""

    def limits(one: Passed) -> dict[str, Any]:
        allowed: dict[str, Any] = {"map": True}
        return allowed if one.scope.areas is None else {**allowed, "limited_to": _limits(one.scope)}

    def authorize(service: str, names: Sequence[str], environ: Any = None, **_: Any) -> dict[str, Any]:
        return {"authorized": "partial", "layers": {one.scope.layer.name: limits(one) for one in layers}}

    return authorize
