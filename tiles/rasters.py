"""GET /tiles/NAME/GRID/z/x/y.png and .webp: pictures of layers, as tiles."""

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
from tiles import gate
from tiles.queries import grid_of
from tiles.views import INDEX, BadTileAddress

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
    if suffix not in MEDIA:
        raise UnknownTileFormat(offered="mvt, png, webp")
    matrix = grid_of(grid)
    if not all(INDEX.match(part) for part in (z, x, y)):
        raise BadTileAddress()
    level, column, row = (parse_integer(part, name="tile") for part in (z, x, y))
    index = (level, column, row)
    if not matrix.contains(*index):
        raise TileOutside(grid=grid, z=z, x=x, y=y)
    if found.shown is gate.Shown.LIVE:
        size = (TILE_PIXELS, TILE_PIXELS)
        view = gate.View(crs_of(matrix.srid), matrix.bounds(*index), size, MEDIA[suffix], None)
        body = gate.get_map([found], [Moment.today()], view, known)
    else:
        body = gate.encoded(gate.cached_tile(found, matrix, index, known), MEDIA[suffix])
    note_read(principal, found.scope, "tiles", often=True)
    response = HttpResponse(body, content_type=MEDIA[suffix])
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response
