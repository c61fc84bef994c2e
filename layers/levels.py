"""From which level on a layer is published as vector tiles (docs/decisions/0007).

The first level where no tile holds more than 2,000 features or 150 KiB: counted in cells of one fine level and
added up, then the fullest tile's bytes are estimated from the vertices and attributes in it.
"""

from typing import Any

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from spatial.citygrid import TILE_PIXELS, CityGrid
from spatial.tilegrids import TileMatrixSet

MOST_FEATURES = 2_000
MOST_BYTES = 150 * 1024
FINEST = 13
# Bytes of an encoded tile, measured on parcels and buildings: per feature, per vertex, per attribute value.
FEATURE_BYTES, VERTEX_BYTES, VALUE_BYTES = 12, 3.2, 7.0


def city_grid() -> CityGrid:
    """The city's own grid, from the settings."""
    x, y = settings.ONEMAP_GRID_ORIGIN
    return CityGrid(settings.ONEMAP_SRID, x, y, settings.ONEMAP_GRID_SIZE, settings.ONEMAP_GRID_LEVELS)


def first_level(cursor: Any, table: sql.Identifier, columns: int) -> int | None:
    """The first CityGrid level at which a table may be served as vector tiles; None for an empty table.

    Cost: one pass over the table.
    """
    grid = city_grid()
    side = settings.ONEMAP_GRID_SIZE / 2**FINEST
    text = sql.SQL(
        """
        WITH cells AS MATERIALIZED (
            SELECT floor((ST_XMin(geom) + ST_XMax(geom) - 2 * {x}) / (2 * {side}))::int AS col,
                   floor((2 * {y} - ST_YMin(geom) - ST_YMax(geom)) / (2 * {side}))::int AS row,
                   count(*) AS features, sum(ST_NPoints(geom)) AS vertices
              FROM {table} GROUP BY 1, 2
        ), fullest AS (
            SELECT level, max(features) AS features, max(weight) AS weight
              FROM (SELECT level, sum(features) AS features,
                           sum(features * {feature} + vertices * {vertex} + features * {values}) AS weight
                      FROM cells, generate_series(0, {finest}) AS level
                     GROUP BY level, col >> ({finest} - level), row >> ({finest} - level)) AS tiles
             GROUP BY level
        )
        SELECT min(level) FROM fullest WHERE features <= {most} AND weight <= {bytes}
        """
    ).format(
        x=sql.Literal(grid.origin_x),
        y=sql.Literal(grid.origin_y),
        side=sql.Literal(side),
        table=table,
        feature=sql.Literal(FEATURE_BYTES),
        vertex=sql.Literal(VERTEX_BYTES),
        values=sql.Literal(VALUE_BYTES * columns),
        finest=sql.Literal(FINEST),
        most=sql.Literal(MOST_FEATURES),
        bytes=sql.Literal(MOST_BYTES),
    )
    cursor.execute(text.as_string(connection.connection))
    found = cursor.fetchone()[0]
    if found is None:
        cursor.execute(
            sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(table).as_string(connection.connection)
        )
        return FINEST if cursor.fetchone()[0] else None
    return int(found)


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
        # The OGC scale denominator times 0.28 mm is the pixel on the ground; Mercator's shrinks with latitude.
        if grid.scale_denominator(level) * 0.00028 * TILE_PIXELS * _shrink(grid) <= metres * 1.0001:
            return level
    return grid.max_level


def _shrink(grid: TileMatrixSet) -> float:
    return 0.924 if grid.identifier == "WebMercatorQuad" else 1.0
