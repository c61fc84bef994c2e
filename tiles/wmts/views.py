"""/services/wmts."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import catalogue, queries
from layers.moments import Moment, parse_moment
from layers.ogc import axes
from layers.ogc.features_api.documents import base_url, words
from layers.reads import note_read
from layers.rights import Scope, visible_layers
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer
from spatial.tilegrids import TileMatrixSet
from tiles import gate, rasters
from tiles.kvp import BadParameter, Kvp, UnknownOperation
from tiles.queries import grids
from tiles.reports import NO_XML
from tiles.views import INDEX

FORMATS = {"image/png": "png", "image/webp": "webp"}


class TileOutOfRange(OnemapError):
    """A tile that its matrix does not have."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "tile-out-of-range"
    message: ClassVar = "{parameter} is outside the matrix"
    message_zh: ClassVar = "{parameter} 超出矩阵范围"


@dataclass(frozen=True, slots=True)
class Asked:
    """A GetTile: as the client wrote it."""

    layer: str
    style: str
    grid: str
    z: str
    row: str
    column: str
    media: str
    time: str | None


@require_safe
def wmts(request: HttpRequest) -> HttpResponse:
    """All operations by parameters."""
    kvp = Kvp(request.GET)
    if kvp.get("SERVICE", "WMTS").upper() != "WMTS":
        raise UnknownOperation(offered="GetCapabilities, GetTile")
    operation = kvp.need("REQUEST").lower()
    if operation == "getcapabilities":
        return capabilities(request)
    if operation != "gettile":
        raise UnknownOperation(offered="GetCapabilities, GetTile")
    asked = Asked(
        layer=kvp.need("LAYER"),
        style=kvp.get("STYLE"),
        grid=kvp.need("TILEMATRIXSET"),
        z=kvp.need("TILEMATRIX"),
        row=kvp.need("TILEROW"),
        column=kvp.need("TILECOL"),
        media=kvp.need("FORMAT"),
        time=kvp.get("TIME") or None,
    )
    return _tile(request, asked)


@require_safe
def by_address(
    request: HttpRequest, layer: str, style: str, grid: str, z: str, row: str, column: str, suffix: str
) -> HttpResponse:
    """GetTile by address."""
    media = next((media for media, one in FORMATS.items() if one == suffix), suffix)
    time = Kvp(request.GET).get("TIME") or None
    return _tile(request, Asked(layer, style, grid, z, row, column, media, time))


def _tile(request: HttpRequest, asked: Asked) -> HttpResponse:
    known = catalogue.current()
    principal = who_asks(request)
    found = gate.passed(principal, asked.layer, asked.style, known)
    media = asked.media.strip().lower()
    if media not in FORMATS:
        raise BadParameter(parameter="FORMAT", wanted=f"one of {', '.join(FORMATS)}")
    matrix = grids().get(asked.grid)
    if matrix is None:
        raise BadParameter(parameter="TileMatrixSet", wanted=f"one of {', '.join(grids())}")
    moment = None
    if asked.time is not None and asked.time.lower() not in {"default", "current"}:
        moment = _moment(found.scope, asked.time)
    body, revision = rasters.made(found, matrix, _index(matrix, asked), media, moment, known)
    note_read(principal, found.scope, "tiles", often=True)
    return rasters.answer(request, body, media, revision, None)


def _moment(scope: Scope, time: str) -> Moment:
    if not scope.layer.valid_time:
        raise BadParameter(parameter="TIME", wanted="this layer has no valid time")
    return parse_moment(scope.layer, None, time)


def _index(matrix: TileMatrixSet, asked: Asked) -> tuple[int, int, int]:
    """z, x, y.

    Raises
    ------
    BadParameter, TileOutOfRange
    """
    given = {"TileMatrix": asked.z, "TileCol": asked.column, "TileRow": asked.row}
    for name, text in given.items():
        if not INDEX.match(text):
            raise BadParameter(parameter=name, wanted="a whole number")
    z, x, y = (parse_integer(text, name=name) for name, text in given.items())
    if z not in matrix.levels:
        raise BadParameter(parameter="TileMatrix", wanted=f"{matrix.min_level} to {matrix.max_level}")
    columns, rows = matrix.matrix_size(z)
    for name, value, size in (("TileCol", x, columns), ("TileRow", y, rows)):
        if value >= size:
            raise TileOutOfRange(parameter=name)
    return z, x, y


@require_safe
def capabilities(request: HttpRequest) -> HttpResponse:
    """GetCapabilities: what the caller may see, and nothing else."""
    scopes = [one for one in visible_layers(who_asks(request)) if not one.layer.is_table]
    states = queries.layer_states([one.layer.id for one in scopes])
    told = {
        "url": f"{base_url(request)}/services/wmts",
        "legends": f"{base_url(request)}/services/wms",
        "operations": ("GetCapabilities", "GetTile"),
        "formats": FORMATS,
        "layers": [_layer(request, one, states[one.layer.id]) for one in scopes],
        "sets": [_set(one) for one in grids().values()],
    }
    text = NO_XML.sub("\ufffd", render_to_string("wmts/capabilities.xml", told))
    response = HttpResponse(text, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie, Accept-Language"
    return response


def _layer(request: HttpRequest, one: Scope, state: dict[str, Any]) -> dict[str, Any]:
    layer, extent = one.layer, gate.extent_of(one, state["extent"])
    return {
        "name": layer.name,
        "title": words(request, layer.title_zh, layer.title_en),
        "abstract": words(request, layer.abstract_zh, layer.abstract_en),
        "time": str(Moment.today().valid_from) if layer.valid_time else None,
        "box": axes.extent_out(extent, axes.output_crs(None)) if extent else None,
    }


def _set(grid: TileMatrixSet) -> dict[str, Any]:
    told = grid.to_json()
    matrices = [
        {
            "id": one["id"],
            "scale": repr(one["scaleDenominator"]),
            "corner": " ".join(repr(float(part)) for part in one["pointOfOrigin"]),
            "columns": one["matrixWidth"],
            "rows": one["matrixHeight"],
        }
        for one in told["tileMatrices"]
    ]
    known = told.get("wellKnownScaleSet", "").rpartition("/")[2]
    return {
        "id": grid.identifier,
        "crs": f"urn:ogc:def:crs:EPSG::{grid.srid}",
        "scale_set": f"urn:ogc:def:wkss:OGC:1.0:{known}" if known else "",
        "matrices": matrices,
    }
