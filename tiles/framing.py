"""What every statement of a vector tile begins with: the tile's box, the box to search, the shape on the tile."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers.ogc import axes
from spatial.crs import crs_of
from spatial.numbers import BBox
from spatial.tilegrids import TileMatrixSet
from tiles.flattening import plane_map

EXTENT = 4096
BUFFER = 64
NEAR = sql.SQL("geom && (SELECT search FROM box)")


def framing(grid: TileMatrixSet, z: int, x: int, y: int) -> tuple[dict[str, float], bool]:
    """The values that `frame_parts` asks for, and whether a plane map stands for the projection.

    Raises
    ------
    spatial.citygrid.TileOutside
        The grid has no such tile.
    """
    box = grid.bounds(z, x, y)
    plane = None
    if grid.srid != settings.ONEMAP_SRID:
        plane = plane_map(box, grid.srid, (box.xmax - box.xmin) / EXTENT)
    bound = {**dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)), **_search(box, grid)}
    if plane is not None:
        bound |= plane._asdict()
    return bound, plane is not None


def _search(box: BBox, grid: TileMatrixSet) -> dict[str, float]:
    """The tile's box with its buffer, as far as the storage CRS can hold it, in the grid's units."""
    margin = (box.xmax - box.xmin) * BUFFER / EXTENT
    limit = _limit(grid.srid)
    low = max(box.xmin - margin, limit.xmin), max(box.ymin - margin, limit.ymin)
    high = min(box.xmax + margin, limit.xmax), min(box.ymax + margin, limit.ymax)
    return {"s0": low[0], "t0": low[1], "s1": max(high[0], low[0]), "t1": max(high[1], low[1])}


@lru_cache(maxsize=16)
def _limit(srid: int) -> BBox:
    """What the storage CRS can hold, in the units of a grid's CRS."""
    return axes.storable(crs_of(srid))


def frame_parts(grid: TileMatrixSet, *, flat: bool) -> dict[str, sql.Composable]:
    """Envelope, search box, shape (of a row r) and sizes, as the statements' texts name them."""
    srid = sql.Literal(grid.srid)
    search = sql.SQL("ST_MakeEnvelope(%(s0)s, %(t0)s, %(s1)s, %(t1)s, {})").format(srid)
    if grid.srid != settings.ONEMAP_SRID:
        # A box bends when it is transformed: points along its sides keep what lies in the bulge.
        search = sql.SQL("ST_Transform(ST_Segmentize({}, greatest(%(s1)s - %(s0)s, 1e-9) / 4), {})").format(
            search, sql.Literal(settings.ONEMAP_SRID)
        )
    plane = sql.SQL("ST_Affine(r.geom, %(a)s, %(b)s, %(d)s, %(e)s, %(c)s, %(f)s)")
    return {
        "envelope": sql.SQL("ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, {})").format(srid),
        "search": search,
        "shape": plane if flat else _exact(grid, sql.SQL("r.geom")),
        "extent": sql.Literal(EXTENT),
        "buffer": sql.Literal(BUFFER),
    }


def label_point(grid: TileMatrixSet) -> sql.Composable:
    """Where a row r is labelled. Placed exactly: of two tiles that meet, one alone may own a point."""
    return _exact(grid, sql.SQL("ST_PointOnSurface(r.geom)"))


def _exact(grid: TileMatrixSet, shape: sql.Composable) -> sql.Composable:
    if grid.srid == settings.ONEMAP_SRID:
        return shape
    return sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(grid.srid))


def quoted(name: str) -> str:
    """A field's name as a quoted identifier inside a statement with bound values."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def connected() -> Any:
    """The driver's connection, for putting statements together."""
    connection.ensure_connection()
    return connection.connection
