"""Vector tiles, made in one statement: the caller's rows, fields and area, in any of the grids."""

import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers import queries
from layers.catalogue import LayerNotFound
from layers.changesets.access import Overlay
from layers.levels import city_grid
from layers.moments import Moment
from layers.ogc import axes
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError
from spatial.numbers import BBox
from spatial.tilegrids import TileMatrixSet, matrix_sets
from tiles.flattening import plane_map

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
    """A made tile: its bytes, the layer's revision it shows, and the catalogue version it was judged by.

    `published` is false below the layer's first level in the grid: then there are no bytes. `overlay` is the
    changeset that it shows, at one state of its content.
    """

    body: bytes
    revision: int
    version: int
    published: bool
    overlay: Overlay | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """A scope's tiles of one grid at one moment; equal questions have the same statement."""

    key: tuple[Any, ...]
    scope: Scope = field(compare=False)
    grid: TileMatrixSet = field(compare=False)
    moment: Moment = field(compare=False)
    flat: bool  # a plane map stands for the projection

    @classmethod
    def of(cls, scope: Scope, grid: TileMatrixSet, moment: Moment, *, flat: bool) -> "_Question":
        """The digest tells fields and areas, the catalogue's version the rest of the layer."""
        return cls((scope.version, scope.digest, grid.identifier, moment), scope, grid, moment, flat)


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
    LayerNotFound
        The layer was removed since the scope was compiled.
    """
    box = grid.bounds(z, x, y)
    plane = None
    if grid.srid != settings.ONEMAP_SRID:
        plane = plane_map(box, grid.srid, (box.xmax - box.xmin) / EXTENT)
    statement = _statement(_Question.of(scope, grid, moment, flat=plane is not None))
    bound = {**dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)), **_search(box, grid), "z": z}
    if plane is not None:
        bound |= plane._asdict()
    found = queries.rows(Statement(statement.text, {**statement.params, **bound}), often=True)
    if not found:
        raise LayerNotFound(layer=scope.layer.name)
    body, revision, version, published = found[0]
    return Tile(bytes(body or b""), revision, version, published)


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


def etag(scope: Scope, tile: Tile) -> str:
    """A strong ETag: what is in the tile, for whom it was cut."""
    laid_over = f"-{tile.overlay.id}.{tile.overlay.counter}" if tile.overlay else ""
    return f'"{tile.revision:x}-{scope.digest}-{zlib.crc32(tile.body):08x}{laid_over}"'


@lru_cache(maxsize=256)
def _statement(question: _Question) -> Statement:
    """The statement for all tiles of one question, put together once: it takes as long as a small tile."""
    scope, grid, moment = question.scope, question.grid, question.moment
    srid, storage = sql.Literal(grid.srid), sql.Literal(settings.ONEMAP_SRID)
    near = sql.SQL("geom && (SELECT search FROM box)")
    inner = queries.relation(scope, moment, where=near)
    same = grid.srid == settings.ONEMAP_SRID
    envelope = sql.SQL("ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, {})").format(srid)
    search = sql.SQL("ST_MakeEnvelope(%(s0)s, %(t0)s, %(s1)s, %(t1)s, {})").format(srid)
    exact = sql.SQL("r.geom") if same else sql.SQL("ST_Transform(r.geom, {})").format(srid)
    flat = sql.SQL("ST_Affine(r.geom, %(a)s, %(b)s, %(d)s, %(e)s, %(c)s, %(f)s)")
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
        shape=flat if question.flat else exact,
        extent=sql.Literal(EXTENT),
        buffer=sql.Literal(BUFFER),
        columns=columns,
        relation=inner.text,
        name=sql.Literal(scope.layer.name),
        layer=sql.Literal(scope.layer.id),
        grid=sql.Literal(grid.identifier),
        lowest=sql.Literal(grid.min_level),
        # Labels are placed exactly: of two tiles that meet, one alone may own a point.
        labels=_labels(scope, moment, exact, params),
    )
    return Statement(sql.SQL(text.as_string(_connected())), params)


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
