"""The blocks of overviews, and how large the cells of each level are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers import queries
from layers.catalogue import LayerInfo
from layers.levels import city_grid
from layers.styles.showing import class_field
from spatial.validity import Family

BLOCK_LEVEL = 7  # of CityGrid: 2.3 km in Shenzhen, a few thousand features where the city is densest
ACROSS = 1 << BLOCK_LEVEL
TILE_PX = 512  # how wide tiles are drawn
SMALLEST_PX = {Family.POLYGON: 0.5, Family.LINE: 0.5, Family.POINT: 8.0}
TARGET_BYTES = 400 * 1024  # of the fullest tile, by estimate; tiles.overviews holds the limit itself
# Bytes of an encoded tile, measured on the demonstration city: per feature, per vertex, per merged cell; cells of
# many classes join with few neighbours.
FEATURE_BYTES, VERTEX_BYTES, CLASSED_BYTES = 16, 2.4, 24.0
CELL_BYTES = {Family.POLYGON: 13.0, Family.LINE: 4.0, Family.POINT: 22.0}
FAR = 1e8  # metres; what lies outside the grid belongs to its outermost blocks


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one level: sides of a cell and of a pixel, metres."""

    level: int
    cell: float
    pixel: float


def block_side() -> float:
    """Side of a block, metres."""
    return settings.ONEMAP_GRID_SIZE / ACROSS


def boxes(blocks: Iterable[int]) -> dict[str, list[Any]]:
    """The blocks' numbers and boxes (storage CRS, metres), as overview_base.sql takes them."""
    side, grid = block_side(), city_grid()
    found: dict[str, list[Any]] = {name: [] for name in ("blocks", "west", "south", "east", "north")}
    for block in blocks:
        row, column = divmod(block, ACROSS)
        found["blocks"].append(block)
        found["west"].append(grid.origin_x + column * side if column else -FAR)
        found["east"].append(grid.origin_x + (column + 1) * side if column < ACROSS - 1 else FAR)
        found["north"].append(grid.origin_y - row * side if row else FAR)
        found["south"].append(grid.origin_y - (row + 1) * side if row < ACROSS - 1 else -FAR)
    return found


def class_column(layer: LayerInfo) -> str:
    """The internal name of the field that the layer's style draws by; empty when all are drawn alike."""
    field = layer.by_name.get(class_field(layer.style))
    return field.column if field is not None else ""


SIZES = {
    Family.POLYGON: "sqrt(ST_Area(geom))",
    Family.LINE: "ST_Length(geom)",
    Family.POINT: "0::double precision",
}


def names(layer: LayerInfo) -> dict[str, sql.Composable]:
    """What the statements of overviews are put together from."""
    grid, column = city_grid(), class_column(layer)
    valid = "valid_from <= %(day)s AND (valid_to IS NULL OR valid_to > %(day)s)"
    return {
        "table": queries.table(layer),
        "history": queries.history(layer),
        "class": sql.SQL("{}::text").format(sql.Identifier(column)) if column else sql.SQL("NULL::text"),
        "size": sql.SQL(SIZES[layer.family]),
        "valid": sql.SQL(valid if layer.valid_time else "true"),
        "srid": sql.Literal(settings.ONEMAP_SRID),
        "x": sql.Literal(grid.origin_x),
        "y": sql.Literal(grid.origin_y),
        "side": sql.Literal(block_side()),
        "last": sql.Literal(ACROSS - 1),
    }


def choose(cursor: Any, layer: LayerInfo, first: int) -> list[Cells]:
    """The cells of every level below the first; needs the temporary table of overview_sizes.sql."""
    return [_fitting(cursor, layer, level) for level in range(first)]


def _fitting(cursor: Any, layer: LayerInfo, level: int) -> Cells:
    """The smallest cells with which the level's fullest tile is not too heavy."""
    tile = settings.ONEMAP_GRID_SIZE / (1 << level)
    pixel = tile / TILE_PX
    found = Cells(level, min(SMALLEST_PX[layer.family] * pixel, block_side()), pixel)
    while found.cell < block_side() and _weight(cursor, layer, found, tile) > TARGET_BYTES:
        found = Cells(level, min(found.cell * 2, block_side()), pixel)
    return found


def _weight(cursor: Any, layer: LayerInfo, cells: Cells, tile: float) -> float:
    text = sql.SQL(queries.load_sql(queries.SQL, "overview_weight")).format(**names(layer))
    areal = layer.family is Family.POLYGON
    bound = {
        "tile": tile,
        "cell": cells.cell,
        "pixel": cells.pixel,
        "least": cells.cell if layer.family is not Family.POINT else FAR,
        "feature": FEATURE_BYTES,
        "vertex": VERTEX_BYTES,
        "spot": CLASSED_BYTES if areal and class_column(layer) else CELL_BYTES[layer.family],
    }
    cursor.execute(text.as_string(connection.connection), bound)
    return float(cursor.fetchone()[0])
