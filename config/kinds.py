"""What kind of request an address is: how long its statements may take, and which pool it waits in."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

HEAVY, BODIES, DRAWING = "heavy", "bodies", "drawing"
MOST_LIGHT_ITEMS = 1_000
# Parameters of items under which a short page costs what a tile costs.
_LIGHT = {"limit", "bbox", "bbox-crs", "crs", "datetime", "next", "f", "lang", "properties"}
_ITEMS = re.compile(r"/ogc/collections/[^/]+/items\Z")
_TILE = re.compile(r"/ogc/collections/[^/]+/tiles/[^/]+/.")
# Whatever ends so is a file or a whole layer: exports, packages, windows of rasters, differences, changes.
_LARGE = re.compile(
    r"/(?:changes|file|window|profile|diff|conflicts|download\.[^/]+|[a-z]+\.(?:gpkg|zip|pdf))\Z"
)
_SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request.

    Attributes
    ----------
    limit
        Of its statements: a name in layers.limits.LIMITS_MS.
    pool
        Which pool it takes a place in: HEAVY, BODIES (it has a body that may come slowly), DRAWING (it may wait for a
        render process), or none.
    """

    limit: str
    pool: str | None = None


WEB, TILE, IDENTIFY = Kind("web"), Kind("tile"), Kind("identify")
PICTURE = Kind("tile", DRAWING)
STREAM, WRITE = Kind("stream", HEAVY), Kind("write", BODIES)


def kind_of(method: str, path: str, query: str) -> Kind:
    """The kind of a request.

    Parameters
    ----------
    path
        Decoded, as WSGI's PATH_INFO.
    query
        As sent, without the question mark.

    Examples
    --------
    >>> kind_of("GET", "/ogc/collections/parcel/items", "limit=10").pool is None
    True
    >>> kind_of("GET", "/ogc/collections/parcel/items", "limit=10000").pool
    'heavy'
    """
    if method not in _SAFE:
        return WRITE
    if path.startswith(("/services/wms", "/services/wmts")):
        return PICTURE
    if path.startswith("/tiles/") or _TILE.match(path):
        return TILE if not path.startswith("/tiles/") or path.endswith(".mvt") else PICTURE
    if path == "/api/identify":
        return IDENTIFY
    if _ITEMS.match(path):
        return WEB if _is_light(query) else STREAM
    return STREAM if _LARGE.search(path) else WEB


def _is_light(query: str) -> bool:
    """Whether a question for items names no filter and asks for a short page."""
    given = dict(parse_qsl(query[:8_000], keep_blank_values=True, encoding="latin-1"))
    limit = given.get("limit", "")
    long = limit.isdecimal() and (len(limit) > 6 or int(limit) > MOST_LIGHT_ITEMS)
    return given.keys() <= _LIGHT and not long
