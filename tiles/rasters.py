"""GET /tiles/NAME/GRID/z/x/y.png and .webp: pictures of layers, as tiles."""

import zlib
from contextlib import suppress
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import catalogue
from layers.moments import Moment
from layers.ogc.features_api.parameters import known_only, single
from layers.reads import note_read
from spatial.citygrid import TILE_PIXELS, TileOutside
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer
from spatial.tilegrids import TileMatrixSet
from tiles import gate, kept
from tiles.queries import grid_of
from tiles.views import INDEX, VERSION, BadTileAddress, BadVersion

MEDIA = {"png": "image/png", "webp": "image/webp"}


class UnknownTileFormat(OnemapError):
    """A suffix that tiles do not have."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "unknown-tile-format"
    message: ClassVar = "tiles are offered as {offered}"
    message_zh: ClassVar = "瓦片格式可用：{offered}"


@require_safe
def tile(request: HttpRequest, name: str, grid: str, z: str, x: str, y: str, suffix: str) -> HttpResponse:
    """One tile of 256 pixels."""
    known = catalogue.current()
    principal = who_asks(request)
    given = single(request.GET)
    known_only(given, {"v", "style"})
    found = gate.passed(principal, name, given.get("style", ""), known)
    if "v" in given and not VERSION.match(given["v"]):
        raise BadVersion()
    if suffix not in MEDIA:
        raise UnknownTileFormat(offered="mvt, png, webp")
    matrix = grid_of(grid)
    if not all(INDEX.match(part) for part in (z, x, y)):
        raise BadTileAddress()
    level, column, row = (parse_integer(part, name="tile") for part in (z, x, y))
    index = (level, column, row)
    if not matrix.contains(*index):
        raise TileOutside(grid=grid, z=z, x=x, y=y)
    body, revision = made(found, matrix, index, MEDIA[suffix], None, known)
    note_read(principal, found.scope, "tiles", often=True)
    return answer(request, body, MEDIA[suffix], revision, given.get("v"))


def made(
    found: gate.Passed,
    matrix: TileMatrixSet,
    index: tuple[int, int, int],
    media: str,
    moment: Moment | None,
    known: catalogue.Catalogue,
) -> tuple[bytes, int | None]:
    """A tile and the revision it shows: kept, or (revision None) drawn for this caller or another day.

    Parameters
    ----------
    index
        z, x, y.
    moment
        None: today.
    """
    if moment is None and found.shown is not gate.Shown.LIVE:
        with suppress(kept.NotKept):
            png, shown = gate.kept_tile(found, matrix, index, known)
            return gate.encoded(png, media), shown.revision
    size = (TILE_PIXELS, TILE_PIXELS)
    view = gate.View(crs_of(matrix.srid), matrix.bounds(*index), size, media, None)
    return gate.get_map([found], [moment or Moment.today()], view, known), None


def answer(
    request: HttpRequest, body: bytes, media: str, revision: int | None, asked: str | None
) -> HttpResponse:
    """The tile, or that the one the caller has is still true."""
    tag = f'"{zlib.crc32(body):08x}{len(body):x}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type=media)
    current = revision is not None and asked is not None and asked.split("-")[0] == str(revision)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, max-age=60" if current else "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response
