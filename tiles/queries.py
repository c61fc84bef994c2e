"""Vector tiles, made in one statement: the caller's rows, fields and area, in any of the grids."""

import json
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from psycopg2 import sql

from layers import queries
from layers.catalogue import LayerNotFound
from layers.changesets.access import Overlay
from layers.levels import city_grid
from layers.moments import Moment
from layers.queries import Statement
from layers.rights import Scope
from layers.styles.showing import class_field
from spatial.errors import Kind, OnemapError
from spatial.tilegrids import TileMatrixSet, matrix_sets
from tiles.framing import EXTENT, NEAR, connected, frame_parts, framing, label_point, quoted

SQL = Path(__file__).parent / "sql"
MAKER = 1  # raise it when the same features give other tiles
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

    `published` is false below the layer's first level in the grid: then there are no bytes. `changed` is the
    microsecond of the layer's last change.
    """

    body: bytes
    revision: int
    changed: int
    version: int
    published: bool


@dataclass(frozen=True, slots=True)
class TileState:
    """By what a layer's tiles of one level are true; `stamp` is that of its overviews, None without."""

    revision: int
    changed: int
    published: bool
    first: int  # level of CityGrid
    stamp: int | None
    version: int


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
    framed, flat = framing(grid, z, x, y)
    statement = _statement(_Question.of(scope, grid, moment, flat=flat))
    bound = {**framed, "z": z}
    found = queries.rows(Statement(statement.text, {**statement.params, **bound}), often=True)
    if not found:
        raise LayerNotFound(layer=scope.layer.name)
    return Tile(bytes(found[0][0] or b""), *found[0][1:])


def tile_state(scope: Scope, grid: TileMatrixSet, z: int) -> TileState:
    """What decides about a tile, without making it.

    Raises
    ------
    LayerNotFound
        The layer was removed since the scope was compiled.
    """
    found = queries.rows(Statement(_state_text(scope.layer.id, grid.identifier), {"z": z}), often=True)
    if not found:
        raise LayerNotFound(layer=scope.layer.name)
    return TileState(*found[0])


@lru_cache(maxsize=1024)
def _state_text(layer: int, grid: str) -> sql.Composable:
    text = sql.SQL(queries.load_sql(SQL, "tile_state")).format(
        layer=sql.Literal(layer), grid=sql.Literal(grid), lowest=sql.Literal(grids()[grid].min_level)
    )
    return sql.SQL(text.as_string(connected()))


def etag(
    scope: Scope,
    moment: Moment,
    revision: int,
    changed: int,
    stamp: int | None,
    overlay: Overlay | None = None,
) -> str:
    """A strong ETag: of all that an address's tile depends on, for whom it was cut.

    It is known without the tile. The time of the last change is in it because a restored database counts its
    revisions from an earlier one again. `overlay` is the changeset shown, at one state of its content.
    """
    layer = scope.layer
    made = zlib.crc32(json.dumps([MAKER, layer.name, layer.label_field, class_field(layer.style)]).encode())
    day = f"-{moment.valid_from}-{moment.valid_to}" if layer.valid_time else ""
    overview = f"-o{stamp:x}" if stamp is not None else ""
    laid_over = f"-c{overlay.id}.{overlay.counter}" if overlay is not None else ""
    return f'"{revision:x}-{changed:x}-{scope.digest}{day}{overview}{laid_over}-{made:08x}"'


@lru_cache(maxsize=256)
def _statement(question: _Question) -> Statement:
    """The statement for all tiles of one question, put together once: it takes as long as a small tile."""
    scope, grid, moment = question.scope, question.grid, question.moment
    inner = queries.relation(scope, moment, where=NEAR)
    params = dict(inner.params)
    columns = _columns(scope, params)
    text = sql.SQL(queries.load_sql(SQL, "vector_tile")).format(
        **frame_parts(grid, flat=question.flat),
        columns=columns,
        relation=inner.text,
        name=sql.Literal(scope.layer.name),
        layer=sql.Literal(scope.layer.id),
        grid=sql.Literal(grid.identifier),
        lowest=sql.Literal(grid.min_level),
        # Labels are placed exactly: of two tiles that meet, one alone may own a point.
        labels=_labels(scope, moment, grid),
    )
    return Statement(sql.SQL(text.as_string(connected())), params)


def _columns(scope: Scope, params: dict[str, Any]) -> sql.Composable:
    """The visible fields under their own names; one JSON column for names too long for a column."""
    short = [one for one in scope.fields if len(one.field.name.encode()) <= IDENTIFIER_BYTES]
    long = [one for one in scope.fields if len(one.field.name.encode()) > IDENTIFIER_BYTES]
    parts = [
        sql.SQL(", r.{} AS {}").format(sql.Identifier(one.field.column), sql.SQL(quoted(one.field.name)))
        for one in short
    ]
    if long:
        pairs, names = queries.json_properties(long, "r", "long")
        params.update(names)
        parts.append(sql.SQL(", {}::jsonb AS onemap_more").format(pairs))
    return sql.SQL("").join(parts)


def _labels(scope: Scope, moment: Moment, grid: TileMatrixSet) -> sql.Composable:
    """SQL that appends the `label` layer; nothing where the label's field is hidden or there is none."""
    field = next((one.field for one in scope.fields if one.field.name == scope.layer.label_field), None)
    if field is None:
        return sql.SQL("")
    return sql.SQL(queries.load_sql(SQL, "labels")).format(
        extent=sql.Literal(EXTENT),
        column=sql.Identifier(field.column),
        point=label_point(grid),
        relation=queries.relation(scope, moment, where=NEAR).text,
    )
