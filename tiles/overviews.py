"""Tiles of small zooms, out of the overviews (the rule: layers.overviews)."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from psycopg2 import sql

from layers import queries
from layers.levels import side_m
from layers.moments import Moment
from layers.overviews import reading
from layers.overviews.cells import FEATURE_BYTES, TILE_PX, VERTEX_BYTES
from layers.queries import Statement
from layers.rights import Scope
from spatial.tilegrids import TileMatrixSet
from spatial.validity import Family
from tiles.framing import NEAR, connected, frame_parts, framing, label_point, quoted
from tiles.queries import IDENTIFIER_BYTES, SQL

MOST_BYTES = 500 * 1024  # of a tile, raw
GENEROUS = 2.0  # estimated bytes against real ones, where shapes are smallest
MOST_LABELS = 200
LABELLED_PX = {
    Family.POLYGON: 32.0,
    Family.LINE: 96.0,
    Family.POINT: 0.0,
}  # from which size on a shape has a label
SLACK = 1.1  # a tile may cover this much more ground, by side, than those of the level that serves it


@dataclass(frozen=True, slots=True)
class OverviewTile:
    """A made tile of the overviews, and what it tells of itself.

    `features` stand for themselves, `merged` features are in `pieces`, `missing` shapes found no room.
    """

    body: bytes
    level: int
    features: int
    pieces: int
    merged: int
    missing: int
    shown: int  # the revision that the overviews show
    stamp: int
    revision: int
    changed: int
    version: int


@dataclass(frozen=True, slots=True)
class _Question:
    """A scope's small-zoom tiles of one grid on one day; equal questions have the same statement."""

    key: tuple[Any, ...]
    scope: Scope = field(compare=False)
    grid: TileMatrixSet = field(compare=False)
    moment: Moment = field(compare=False)
    flat: bool
    far: bool  # coarser than all overviews


def level_for(grid: TileMatrixSet, z: int, first: int) -> int:
    """The level of CityGrid whose overviews serve level `z` of a grid, for a layer with this first level."""
    ground = side_m(grid, z)
    level = 0
    while level + 1 < first and settings.ONEMAP_GRID_SIZE / (1 << (level + 1)) * SLACK >= ground:
        level += 1
    return level


def overview_tile(
    scope: Scope, grid: TileMatrixSet, index: tuple[int, int, int], moment: Moment, first: int
) -> OverviewTile | None:
    """Make one tile of the overviews; None where there are none that could answer.

    Parameters
    ----------
    index
        z, x, y.
    first
        The layer's first level in CityGrid.
    """
    if not first or not reading.serves(scope, moment):
        return None
    framed, flat = framing(grid, *index)
    level = level_for(grid, index[0], first)
    half = side_m(grid, index[0]) / TILE_PX / 2
    far = half * TILE_PX > settings.ONEMAP_GRID_SIZE * SLACK
    statement = _statement(
        _Question((scope.version, scope.digest, grid.identifier, moment), scope, grid, moment, flat, far)
    )
    pixel = settings.ONEMAP_GRID_SIZE / (1 << level) / TILE_PX
    bound = {**statement.params, **framed, "level": level, "label": LABELLED_PX[scope.layer.family] * pixel}
    bound |= {"half": half} if far else {}
    budget = GENEROUS * MOST_BYTES
    while True:
        found = queries.rows(Statement(statement.text, {**bound, "budget": budget}), often=True)
        if not found:
            return None
        body = bytes(found[0][0] or b"")
        if len(body) <= MOST_BYTES:
            return OverviewTile(body, level, *found[0][1:])
        budget *= 0.95 * MOST_BYTES / len(body)


@lru_cache(maxsize=64)
def _statement(question: _Question) -> Statement:
    scope, grid = question.scope, question.grid
    shapes = reading.shapes(scope, question.moment, NEAR)
    found = reading.class_field(scope)
    # A field whose name is too long for a column is left out: all is drawn alike then.
    column = quoted(found.field.name) if found and len(found.field.name.encode()) <= IDENTIFIER_BYTES else ""
    text = sql.SQL(queries.load_sql(SQL, "overview_tile")).format(
        **frame_parts(grid, flat=question.flat),
        spots=_spots(scope, shapes.text) if question.far else shapes.text,
        column=sql.SQL(f", {column}" if column else ""),
        class_=sql.SQL(f", class AS {column}" if column else ""),
        point=label_point(grid),
        labels=sql.Literal(MOST_LABELS),
        # Small areas lie on large ones; long lines are the main ones and lie on short ones.
        above=sql.SQL("weight" if scope.layer.family is Family.LINE else "weight DESC"),
        name=sql.Literal(scope.layer.name),
        layer=sql.Literal(scope.layer.id),
        feature=sql.Literal(FEATURE_BYTES),
        vertex=sql.Literal(VERTEX_BYTES),
    )
    return Statement(sql.SQL(text.as_string(connected())), shapes.params)


def _spots(scope: Scope, shapes: sql.Composable) -> sql.Composable:
    point = scope.layer.family is Family.POINT
    spot = "ST_MakePoint(x, y)" if point else "ST_MakeEnvelope(x, y, x + %(half)s, y + %(half)s)"
    return sql.SQL(queries.load_sql(SQL, "overview_spots")).format(
        shapes=shapes, spot=sql.SQL(f"ST_SetSRID({spot}, {{}})").format(sql.Literal(settings.ONEMAP_SRID))
    )


def told(tile: OverviewTile) -> str:
    """What a tile is made of, for the header `Onemap-Overview`."""
    return (
        f"level={tile.level}; revision={tile.shown}; features={tile.features}; pieces={tile.pieces};"
        f" merged={tile.merged}; missing={tile.missing}"
    )
