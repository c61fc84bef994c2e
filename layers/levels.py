"""From which level on a layer is published as vector tiles (docs/decisions/0007).

The first level where no tile holds more than 2,000 features or 150 KiB: counted in cells of one fine level and
added up, then the fullest tile's bytes are estimated from the vertices and attributes in it.
"""

from typing import Any

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers import queries
from spatial.citygrid import PIXEL_METRES, TILE_PIXELS, CityGrid
from spatial.tilegrids import TileMatrixSet

MOST_FEATURES = 2_000
MOST_BYTES = 150 * 1024
FINEST = 13
COARSE = 10  # most layers begin at or before this level; its cells are few
# Bytes of an encoded tile, measured on parcels and buildings: per feature, per vertex, per attribute value.
FEATURE_BYTES, VERTEX_BYTES, VALUE_BYTES = 12, 3.2, 7.0


def city_grid() -> CityGrid:
    """The city's own grid, from the settings."""
    x, y = settings.ONEMAP_GRID_ORIGIN
    return CityGrid(settings.ONEMAP_SRID, x, y, settings.ONEMAP_GRID_SIZE, settings.ONEMAP_GRID_LEVELS)


def first_level(cursor: Any, table: sql.Identifier, columns: int) -> int | None:
    """The first CityGrid level at which a table may be served as vector tiles; None for an empty table.

    Cost: one pass over the table; a second one only for layers so dense that no level up to COARSE will do.
    """
    for low, high in ((0, COARSE), (COARSE + 1, FINEST)):
        found = _first_of(cursor, table, columns, low, high)
        if found is not None:
            return found
    cursor.execute(sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(table).as_string(connection.connection))
    return FINEST if cursor.fetchone()[0] else None


def _first_of(cursor: Any, table: sql.Identifier, columns: int, low: int, high: int) -> int | None:
    """The first level from `low` to `high` that no tile is too full for; counted in the cells of `high`."""
    grid = city_grid()
    text = sql.SQL(queries.load_sql(queries.SQL, "first_level")).format(
        x=sql.Literal(grid.origin_x),
        y=sql.Literal(grid.origin_y),
        side=sql.Literal(settings.ONEMAP_GRID_SIZE / 2**high),
        table=table,
        feature=sql.Literal(FEATURE_BYTES + VALUE_BYTES * columns),
        vertex=sql.Literal(VERTEX_BYTES),
        low=sql.Literal(low),
        high=sql.Literal(high),
        most=sql.Literal(MOST_FEATURES),
        bytes=sql.Literal(MOST_BYTES),
    )
    cursor.execute(text.as_string(connection.connection))
    found = cursor.fetchone()[0]
    return int(found) if found is not None else None


def first_levels(
    cursor: Any, table: sql.Identifier, columns: int, grids: list[TileMatrixSet]
) -> dict[str, int]:
    """The first level by tile matrix set: in each, the one whose tiles cover no more ground than CityGrid's."""
    level = first_level(cursor, table, columns)
    if not level:  # empty, or one tile holds the whole city: so does every tile further out
        return {grid.identifier: grid.min_level for grid in grids}
    metres = settings.ONEMAP_GRID_SIZE / 2**level
    return {grid.identifier: _level_of_side(grid, metres) for grid in grids}


def _level_of_side(grid: TileMatrixSet, metres: float) -> int:
    for level in range(grid.min_level, grid.max_level + 1):
        if side_m(grid, level) <= metres * 1.0001:
            return level
    return grid.max_level


def side_m(grid: TileMatrixSet, level: int) -> float:
    """How wide a tile is on the ground, metres."""
    # The OGC scale denominator times 0.28 mm is the pixel on the ground; Mercator's shrinks with latitude.
    return grid.scale_denominator(level) * PIXEL_METRES * TILE_PIXELS * _shrink(grid)


def _shrink(grid: TileMatrixSet) -> float:
    return 0.924 if grid.identifier == "WebMercatorQuad" else 1.0
