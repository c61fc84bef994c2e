"""Tiles over HTTP: who asks, which tile, and how long it may be kept."""

import json
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import catalogue, queries
from layers.changesets import access
from layers.models import Overview
from layers.moments import Moment, parse_moment
from layers.ogc.features_api.documents import base_url, link, words
from layers.ogc.features_api.parameters import known_only, single
from layers.overviews import RULE, reading
from layers.overviews.reading import level_facts
from layers.reads import note_read
from layers.rights import Action, Scope, scope
from spatial.citygrid import TileOutside
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer
from spatial.tilegrids import TileMatrixSet
from tiles.memory import Memory
from tiles.overviews import OverviewTile, level_for, overview_tile, told
from tiles.queries import etag, grid_of, grids, tile_state, vector_tile

MVT = "application/vnd.mapbox-vector-tile"
INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z", re.ASCII)
VERSION = re.compile(r"[0-9]{1,18}(?:-[0-9]{1,18})?\Z", re.ASCII)


class BadTileAddress(OnemapError):
    """A tile's address holds something that is no number."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "tile-outside"
    message: ClassVar = "there is no such tile"
    message_zh: ClassVar = "没有该瓦片"


class BadVersion(OnemapError):
    """`v` is no revision."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-version"
    message: ClassVar = "v is a data revision, or DATAREV-STYLEREV"
    message_zh: ClassVar = "v 应为数据修订号，或 DATAREV-STYLEREV"


@dataclass(frozen=True, slots=True)
class Made:
    """The answer about one tile: its bytes (None: what the caller has is still true), its tag ("" below all levels)."""

    body: bytes | None
    tag: str
    revision: int
    version: int
    overview: OverviewTile | None = None
    draft: bool = False  # a changeset is shown


@require_safe
def tile(request: HttpRequest, name: str, grid: str, z: str, x: str, y: str) -> HttpResponse:
    """GET /tiles/NAME/GRID/z/x/y.mvt and /ogc/collections/NAME/tiles/GRID/z/y/x."""
    given = single(request.GET)
    made = _by_memory(request, name, grid, (z, x, y), given)
    if made is None or made[1].version != made[0].version:
        # Only an answer says by which version it was judged. A refusal would rest on a catalogue that may be
        # older than the caller's rights: judge again.
        made = _make(request, catalogue.current(), name, grid, (z, x, y), given)
    return _answer(made[1], given.get("v")) if made[1].tag else _below()


def _by_memory(
    request: HttpRequest, name: str, grid: str, index: tuple[str, str, str], given: dict[str, str]
) -> tuple[Scope, Made] | None:
    """The tile by the catalogue this process remembers, which saves a question; nothing where it refuses."""
    try:
        return _make(request, catalogue.held() or catalogue.current(), name, grid, index, given)
    except OnemapError:
        return None


def _make(
    request: HttpRequest,
    known: catalogue.Catalogue,
    name: str,
    grid: str,
    index: tuple[str, str, str],
    given: dict[str, str],
) -> tuple[Scope, Made]:
    """The caller's scope and tile."""
    found = _scope(request, name, known)
    known_only(given, {"v", "as-of", "datetime", "changeset"})
    if "v" in given and not VERSION.match(given["v"]):
        raise BadVersion()
    matrix = grid_of(grid)
    if not all(INDEX.match(part) for part in index):
        raise BadTileAddress()
    z, x, y = (parse_integer(part, name="tile") for part in index)
    if not matrix.contains(z, x, y):
        raise TileOutside(grid=grid, z=z, x=x, y=y)
    moment = parse_moment(found.layer, given.get("as-of"), given.get("datetime"))
    overlay = access.asked(who_asks(request), given.get("changeset"), given.get("as-of"))
    if overlay is not None:
        moment = replace(moment, changeset=overlay.id)
    made = _made(found, matrix, (z, x, y), moment, overlay, request.headers.get("If-None-Match"))
    if made.tag:
        note_read(who_asks(request), found, "tiles", often=True)
    return found, made


def _made(
    found: Scope,
    matrix: TileMatrixSet,
    index: tuple[int, int, int],
    moment: Moment,
    overlay: access.Overlay | None,
    known: str | None,
) -> Made:
    """The tile, or that the one the caller knows by its tag is still true."""
    if known is not None:
        state = tile_state(found, matrix, index[0])
        stamp = None if state.published else state.stamp
        tag = etag(found, moment, state.revision, state.changed, stamp, overlay)
        if tag == known:
            return Made(None, tag, state.revision, state.version, draft=overlay is not None)
    full = vector_tile(found, matrix, *index, moment)
    if full.published:
        tag = etag(found, moment, full.revision, full.changed, None, overlay)
        return Made(full.body, tag, full.revision, full.version, draft=overlay is not None)
    return _small_zoom(found, matrix, index, moment)


def _small_zoom(found: Scope, matrix: TileMatrixSet, index: tuple[int, int, int], moment: Moment) -> Made:
    """A tile below the layer's first level: out of the overviews, where there are any that can answer."""
    state = tile_state(found, matrix, index[0])
    if state.stamp is None:
        return Made(None, "", state.revision, state.version)
    key = (found.layer.id, found.digest, matrix.identifier, index, moment)
    kept = _memory.recall(key, etag(found, moment, state.revision, state.changed, state.stamp))
    if kept is not None:
        return Made(kept.body, kept.tag, kept.revision, state.version, kept.overview)
    one = overview_tile(found, matrix, index, moment, state.first)
    if one is None:
        return Made(None, "", state.revision, state.version)
    tag = etag(found, moment, one.revision, one.changed, one.stamp)
    made = Made(one.body, tag, one.revision, one.version, one)
    _memory.remember(key, tag, made, len(one.body) + 1_000)
    return made


_memory: Memory[Made] = Memory()


def _scope(request: HttpRequest, name: str, known: catalogue.Catalogue | None = None) -> Scope:
    """The caller's scope of a layer that has tiles; to this door a table does not exist.

    Raises
    ------
    LayerNotFound, NotGranted
    """
    found = scope(who_asks(request), name, Action.VIEW, of=known)
    if found.layer.is_table:
        raise catalogue.LayerNotFound(layer=name)
    return found


def first_level(found: Scope, grid: str) -> int:
    """The layer's first published level in a grid (see layers.levels)."""
    levels = queries.layer_states([found.layer.id])[found.layer.id]["first_levels"]
    return int(json.loads(levels).get(grid, grids()[grid].min_level))


def _below() -> HttpResponse:
    """204: the layer is not published as vector tiles at this level; zoom in."""
    response = HttpResponse(status=204)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _answer(made: Made, asked: str | None) -> HttpResponse:
    if made.body is None:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(made.body, content_type=MVT)
    response.headers["ETag"] = made.tag
    # A tile is kept by the browser alone, since what it shows depends on who asks; under a revision's address
    # it never changes, but a right may be taken back within a minute. An overview may follow a moment later.
    settled = not made.draft and (made.overview is None or made.overview.shown == made.revision)
    current = settled and asked is not None and asked.split("-")[0] == str(made.revision)
    response.headers["Cache-Control"] = "private, max-age=60" if current else "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    if made.overview is not None:
        response.headers["Onemap-Overview"] = told(made.overview)
    return response


def _json(body: dict[str, object]) -> HttpResponse:
    response = HttpResponse(json.dumps(body, ensure_ascii=False), content_type="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def tilesets(request: HttpRequest, name: str) -> HttpResponse:
    """GET /ogc/collections/NAME/tiles: the tile sets of a collection (OGC API Tiles)."""
    found = _scope(request, name)
    known_only(single(request.GET), set())
    url = f"{base_url(request)}/ogc/collections/{name}/tiles"
    sets = [_tileset(request, found, grid) for grid in grids()]
    return _json({"links": [link(url, "self", "application/json", "These tile sets")], "tilesets": sets})


@require_safe
def tileset(request: HttpRequest, name: str, grid: str) -> HttpResponse:
    """GET /ogc/collections/NAME/tiles/GRID: one tile set."""
    found = _scope(request, name)
    known_only(single(request.GET), set())
    grid_of(grid)
    return _json(_tileset(request, found, grid))


def _tileset(request: HttpRequest, found: Scope, grid: str) -> dict[str, object]:
    matrix, root, name = grids()[grid], base_url(request), found.layer.name
    url = f"{root}/ogc/collections/{name}/tiles/{grid}"
    template = {
        **link(f"{url}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MVT, "Tiles"),
        "templated": True,
    }
    scheme = link(
        f"{root}/ogc/tileMatrixSets/{grid}",
        "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme",
        "application/json",
        grid,
    )
    return {
        "title": words(request, found.layer.title_zh, found.layer.title_en),
        "dataType": "vector",
        "crs": matrix.to_json()["crs"],
        "tileMatrixSetURI": matrix.uri or scheme["href"],
        "layers": [
            {
                "id": name,
                "dataType": "vector",
                "minTileMatrix": str(first_level(found, grid)),
                "maxTileMatrix": str(matrix.max_level),
                **_overviews(found, grid),
            }
        ],
        "links": [link(url, "self", "application/json", "This tile set"), scheme, template],
    }


def _overviews(found: Scope, grid: str) -> dict[str, object]:
    """What the levels below the first show, and by which rule; nothing where there are no overviews."""
    kept = Overview.objects.filter(layer_id=found.layer.id).first()
    if kept is None or not kept.levels:
        return {}
    first, lowest = first_level(found, grid), grids()[grid].min_level
    levels = {
        str(z): level_facts(found, kept.levels[str(level_for(grids()[grid], z, len(kept.levels)))])
        for z in range(lowest, first)
    }
    if not levels:
        return {}
    return {
        "overviews": {
            "rule": dict(RULE),
            "minTileMatrix": str(lowest),
            "maxTileMatrix": str(first - 1),
            "mergedShown": reading.merged_shown(found),
            "unanswered": reading.unanswered(found),
            "levels": levels,
        }
    }


@require_safe
def tile_matrix_sets(request: HttpRequest) -> HttpResponse:
    """GET /ogc/tileMatrixSets."""
    root = base_url(request)
    listed = [
        {
            "id": name,
            "title": name,
            "links": [link(f"{root}/ogc/tileMatrixSets/{name}", "self", "application/json", name)],
        }
        for name in grids()
    ]
    return _json({"tileMatrixSets": listed})


@require_safe
def tile_matrix_set(request: HttpRequest, grid: str) -> HttpResponse:
    """GET /ogc/tileMatrixSets/GRID."""
    return _json(grid_of(grid).to_json())
