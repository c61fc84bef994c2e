"""Vector tiles, made in one statement: the caller's rows, fields and area, in any of the grids."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers import queries
from layers.levels import city_grid
from layers.moments import Moment
from layers.ogc import axes
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox
from spatial.tilegrids import TileMatrixSet, matrix_sets

SQL = Path(__file__).parent / "sql"
EXTENT = 4096
BUFFER = 64
IDENTIFIER_BYTES = 63  # longer column names are cut by PostgreSQL; such fields go through JSON


class UnknownGrid(OnemapError):
    """No tile matrix set of this name."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "unknown-grid"
    message: ClassVar = "there is no tile matrix set {grid}; there are {offered}"
    message_zh: ClassVar = "没有瓦片矩阵集 {grid}，可用：{offered}"


@dataclass(frozen=True, slots=True)
class Tile:
    """A made tile: its bytes, the layer's revision it shows, and the catalogue version it was judged by."""

    body: bytes
    revision: int
    version: int


@lru_cache(maxsize=1)
def grids() -> dict[str, TileMatrixSet]:
    """The tile matrix sets on offer, by identifier."""
    return matrix_sets(city_grid())


def grid_of(identifier: str) -> TileMatrixSet:
    """The tile matrix set of this name.

    Raises
    ------
    UnknownGrid
    """
    found = grids().get(identifier)
    if found is None:
        raise UnknownGrid(grid=identifier, offered=", ".join(grids()))
    return found


def vector_tile(scope: Scope, grid: TileMatrixSet, z: int, x: int, y: int, moment: Moment) -> Tile:
    """Make one tile.

    Layer NAME holds the features (id: fid); layer `label` one point per labelled feature, in the one tile that
    owns it (half-open test), with its text.

    Raises
    ------
    spatial.citygrid.TileOutside
        The grid has no such tile.
    """
    box = grid.bounds(z, x, y)
    statement = _statement(scope, grid, moment)
    bound = {**dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)), **_search(box, grid)}
    found = queries.rows(Statement(statement.text, {**statement.params, **bound}))[0]
    return Tile(bytes(found[0] or b""), int(found[1]), int(found[2]))


def _search(box: BBox, grid: TileMatrixSet) -> dict[str, float]:
    """The tile's box with its buffer, as far as the storage CRS can hold it, in the grid's units."""
    margin = (box.xmax - box.xmin) * BUFFER / EXTENT
    limit = axes.storable(crs_of(grid.srid))
    low = max(box.xmin - margin, limit.xmin), max(box.ymin - margin, limit.ymin)
    high = min(box.xmax + margin, limit.xmax), min(box.ymax + margin, limit.ymax)
    return {"s0": low[0], "t0": low[1], "s1": max(high[0], low[0]), "t1": max(high[1], low[1])}


def etag(scope: Scope, tile: Tile) -> str:
    """A strong ETag: what is in the tile, for whom it was cut."""
    return f'"{tile.revision:x}-{scope.digest}-{zlib.crc32(tile.body):08x}"'


def _statement(scope: Scope, grid: TileMatrixSet, moment: Moment) -> Statement:
    srid, storage = sql.Literal(grid.srid), sql.Literal(settings.ONEMAP_SRID)
    near = sql.SQL("geom && (SELECT search FROM box)")
    inner = queries.relation(scope, moment, where=near)
    same = grid.srid == settings.ONEMAP_SRID
    envelope = sql.SQL("ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, {})").format(srid)
    search = sql.SQL("ST_MakeEnvelope(%(s0)s, %(t0)s, %(s1)s, %(t1)s, {})").format(srid)
    shape = sql.SQL("r.geom") if same else sql.SQL("ST_Transform(r.geom, {})").format(srid)
    if not same:
        # A box bends when it is transformed: points along its sides keep what lies in the bulge.
        search = sql.SQL("ST_Transform(ST_Segmentize({}, greatest(%(s1)s - %(s0)s, 1e-9) / 4), {})").format(
            search, storage
        )
    params = dict(inner.params)
    columns = _columns(scope, params)
    text = sql.SQL(queries.load_sql(SQL, "vector_tile")).format(
        envelope=envelope,
        search=search,
        shape=shape,
        extent=sql.Literal(EXTENT),
        buffer=sql.Literal(BUFFER),
        columns=columns,
        relation=inner.text,
        name=sql.Literal(scope.layer.name),
        layer=sql.Literal(scope.layer.id),
        labels=_labels(scope, moment, shape, params),
    )
    return Statement(text, params)


def _columns(scope: Scope, params: dict[str, Any]) -> sql.Composable:
    """The visible fields under their own names; one JSON column for names too long for a column."""
    short = [one for one in scope.fields if len(one.field.name.encode()) <= IDENTIFIER_BYTES]
    long = [one for one in scope.fields if len(one.field.name.encode()) > IDENTIFIER_BYTES]
    parts = [
        sql.SQL(", r.{} AS {}").format(sql.Identifier(one.field.column), sql.SQL(_quoted(one.field.name)))
        for one in short
    ]
    if long:
        pairs, names = queries.json_properties(long, "r", "long")
        params.update(names)
        parts.append(sql.SQL(", {}::jsonb AS onemap_more").format(pairs))
    return sql.SQL("").join(parts)


def _quoted(name: str) -> str:
    """A field's name as a quoted identifier inside a statement with bound values."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def _labels(scope: Scope, moment: Moment, shape: sql.Composable, params: dict[str, Any]) -> sql.Composable:
    """SQL that appends the `label` layer; nothing where the label's field is hidden or there is none."""
    field = next((one.field for one in scope.fields if one.field.name == scope.layer.label_field), None)
    if field is None:
        return sql.SQL("")
    return sql.SQL(queries.load_sql(SQL, "labels")).format(
        extent=sql.Literal(EXTENT),
        column=sql.Identifier(field.column),
        point=sql.SQL(shape.as_string(_connected()).replace("r.geom", "ST_PointOnSurface(r.geom)")),
        relation=queries.relation(scope, moment, where=sql.SQL("geom && (SELECT search FROM box)")).text,
    )


def _connected() -> Any:
    connection.ensure_connection()
    return connection.connection
