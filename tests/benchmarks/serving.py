"""Rows of reading: 10,000 parcels as GeoJSON, and vector tiles of all zooms that no side has in a cache."""

import random

import shapely

from spatial.crs import transformation
from spatial.tilegrids import matrix_sets
from tests.benchmarks import bare_sql, parcels
from tests.benchmarks.measure import alternate
from tests.benchmarks.report import BARE_SQL, rows_of

LAYER = "bench_parcels"
ITEMS = 100  # parcels along a side of the box asked for: 10,000
ITEMS_ROW = "items_geojson_10k"
# Level of WebMercatorQuad, tiles a round. At 10 and 12 ours are drawn from overviews; the floor draws every parcel.
LEVELS = ((18, 600), (16, 600), (14, 120), (12, 12), (10, 2))
CITY_LEVELS_LESS = 7  # CityGrid's level of the same size on the ground
PEERS_FROM = 14  # below, peers leave out features beyond a number: their tiles are others
GRIDS = (("WebMercatorQuad", "uncached"), ("CityGrid", "citygrid"))
# Work, tile matrix set, level, tiles a round.
TILES = tuple(
    (f"mvt_z{z}_{word}", grid, z - (CITY_LEVELS_LESS if grid == "CityGrid" else 0), most)
    for grid, word in GRIDS
    for z, most in LEVELS
)
TILE_NAMES = tuple(name for name, *_ in TILES)


def boxes(count, columns, rows, chance=None):
    """Boxes of 10,000 parcels in longitude and latitude (degrees), the same unless another chance is given."""
    chance = random.Random(parcels.SEED) if chance is None else chance
    move = transformation(parcels.SRID, 4490, {})
    for _ in range(count):
        x = parcels.WEST + parcels.SIDE_M * (chance.randrange(1, max(columns - ITEMS, 2)) + 0.5)
        y = parcels.SOUTH + parcels.SIDE_M * (chance.randrange(1, max(rows - ITEMS, 2)) + 0.5)
        side = parcels.SIDE_M * (ITEMS - 1)
        west, south, east, north = shapely.bounds(
            shapely.transform(shapely.box(x, y, x + side, y + side), move.apply)
        )
        yield tuple(round(float(value), 7) for value in (west, south, east, north))


def measure_items(run, floor, peers):
    """Row items_geojson_10k: one request at a time, the same box on every side."""
    if not run.wants(ITEMS_ROW):
        return []
    asked = list(boxes(run.rounds + 1, *run.extent))
    statement = floor_items(run.bed)

    def ours(number):
        listed = ",".join(str(value) for value in asked[number])
        path = f"/ogc/collections/{LAYER}/items?limit=10000&bbox={listed}"
        return run.client.seconds(run.bed.port, [path], clients=1)

    def bare(number):
        listed = ", ".join(str(value) for value in asked[number])
        where = f"ST_Intersects(geom, ST_Transform(ST_MakeEnvelope({listed}, 4490), {parcels.SRID}))"
        return floor.seconds([f"{statement}{where} ORDER BY fid LIMIT 10000"])

    def theirs(server):
        return lambda number: run.client.seconds(server.port, [server.items(asked[number])], clients=1)

    sides = {one.name: theirs(one) for one in peers if hasattr(one, "items")}
    return rows_of(ITEMS_ROW, alternate({"ours": ours, **sides, BARE_SQL: bare}, run.rounds))


def floor_items(bed):
    """The floor's statement of features as GeoJSON, up to its conditions."""
    pairs = ", ".join(f"'{name}', {column}" for column, name in bed.columns(LAYER))
    return bare_sql.ITEMS.format(table=f"data.{LAYER}", pairs=pairs)


def by_peers(name):
    """Whether other tile servers are asked for the tiles of a row."""
    return next(grid == "WebMercatorQuad" and z >= PEERS_FROM for row, grid, z, _ in TILES if row == name)


def inner_tiles(grid, z, extent):
    """All tiles of a level that lie within the parcels; where these are smaller than a tile, those that touch them."""
    columns, rows = extent
    box = shapely.box(0, 0, parcels.SIDE_M * columns, parcels.SIDE_M * rows)
    ground = shapely.transform(box, lambda xy: xy + (parcels.WEST, parcels.SOUTH))
    if grid.srid != parcels.SRID:
        ground = shapely.transform(ground, transformation(parcels.SRID, grid.srid, {}).apply)
    west, south, east, north = shapely.bounds(ground)
    corner = grid.bounds(z, 0, 0)
    side = corner.xmax - corner.xmin
    first, last = int((west - corner.xmin) / side) + 1, int((east - corner.xmin) / side)
    top, bottom = int((corner.ymax - north) / side) + 1, int((corner.ymax - south) / side)
    if first >= last or top >= bottom:
        first, last, top, bottom = first - 1, last + 1, top - 1, bottom + 1
    return [(z, x, y) for x in range(first, last) for y in range(top, bottom)]


def statement(bed, city_grid):
    """The floor's statements by tile matrix set."""
    facts = {"table": f"data.{LAYER}", "columns": bed.named_columns(LAYER).replace("%", "%%")}
    side = city_grid.size
    square = (
        f"ST_MakeEnvelope({city_grid.origin_x}, {city_grid.origin_y - side}, {city_grid.origin_x + side},"
        f" {city_grid.origin_y}, {parcels.SRID})"
    )
    return {
        "WebMercatorQuad": bare_sql.MERCATOR.format(srid=parcels.SRID, **facts),
        "CityGrid": bare_sql.CITY.format(square=square, **facts),
    }


def measure_tiles(run, floor, peers, city_grid):
    """The rows of vector tiles: several clients at once, the same tiles on every side."""
    statements, tilers = statement(run.bed, city_grid), [one for one in peers if hasattr(one, "tile")]
    grids, rows = matrix_sets(city_grid), []
    for name, identifier, z, most in TILES:
        if not run.wants(name):
            continue
        tiles = inner_tiles(grids[identifier], z, run.extent)
        chance = random.Random(parcels.SEED)
        chosen = [chance.sample(tiles, min(most, len(tiles))) for _ in range(run.rounds + 1)]

        def ours(number, identifier=identifier, chosen=chosen):
            paths = [f"/tiles/{LAYER}/{identifier}/{z}/{x}/{y}.mvt" for z, x, y in chosen[number]]
            return run.client.seconds(run.bed.port, paths)

        def bare(number, identifier=identifier, chosen=chosen):
            return floor.tiles(statements[identifier], chosen[number])

        def theirs(tiler, chosen=chosen):
            return lambda number: run.client.seconds(tiler.port, [tiler.tile(*one) for one in chosen[number]])

        sides = {"ours": ours, BARE_SQL: bare}
        if by_peers(name):
            sides |= {one.name: theirs(one) for one in tilers}
        rows += rows_of(name, alternate(sides, run.rounds))
    return rows
