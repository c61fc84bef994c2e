"""Rows of reading: 10,000 parcels as GeoJSON, and vector tiles that no side has in a cache."""

import random

import shapely

from spatial.crs import transformation
from spatial.tilegrids import matrix_sets
from tests.benchmarks import bare_sql, parcels
from tests.benchmarks.measure import alternate
from tests.benchmarks.report import BARE_SQL, rows_of

LAYER = "bench_parcels"
ITEMS = 100  # parcels along a side of the box asked for: 10,000
# Work, tile matrix set, level, tiles a round. CityGrid's levels are those of the same size on the ground.
TILES = (
    ("mvt_z16_uncached", "WebMercatorQuad", 16, 600),
    ("mvt_z14_uncached", "WebMercatorQuad", 14, 120),
    ("mvt_z16_citygrid", "CityGrid", 9, 600),
    ("mvt_z14_citygrid", "CityGrid", 7, 120),
)


def boxes(count, columns, rows):
    """Boxes of 10,000 parcels in longitude and latitude (degrees)."""
    chance = random.Random(parcels.SEED)
    move = transformation(parcels.SRID, 4490, {})
    for _ in range(count):
        x = parcels.WEST + parcels.SIDE_M * (chance.randrange(1, max(columns - ITEMS, 2)) + 0.5)
        y = parcels.SOUTH + parcels.SIDE_M * (chance.randrange(1, max(rows - ITEMS, 2)) + 0.5)
        side = parcels.SIDE_M * (ITEMS - 1)
        west, south, east, north = shapely.bounds(
            shapely.transform(shapely.box(x, y, x + side, y + side), move.apply)
        )
        yield tuple(round(float(value), 7) for value in (west, south, east, north))


def measure_items(bed, client, servers, rounds, extent):
    """Row items_geojson_10k: one request at a time, the same box on every side."""
    asked = list(boxes(rounds + 1, *extent))

    def ours(number):
        listed = ",".join(str(value) for value in asked[number])
        return client.seconds(
            bed.port, [f"/ogc/collections/{LAYER}/items?limit=10000&bbox={listed}"], clients=1
        )

    def theirs(server):
        return lambda number: client.seconds(server.port, [server.items(asked[number])], clients=1)

    return rows_of(
        "items_geojson_10k", alternate({"ours": ours, **{one.name: theirs(one) for one in servers}}, rounds)
    )


def inner_tiles(grid, z, extent):
    """All tiles of a level that lie within the parcels."""
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


def measure_tiles(bed, client, floor, tiler, rounds, extent, city_grid):
    """The four rows of vector tiles: several clients at once, the same tiles on every side."""
    grids, statements, rows = matrix_sets(city_grid), statement(bed, city_grid), []
    for name, identifier, z, most in TILES:
        tiles = inner_tiles(grids[identifier], z, extent)
        chance = random.Random(parcels.SEED)
        chosen = [chance.sample(tiles, min(most, len(tiles))) for _ in range(rounds + 1)]

        def ours(number, identifier=identifier, chosen=chosen):
            paths = [f"/tiles/{LAYER}/{identifier}/{z}/{x}/{y}.mvt" for z, x, y in chosen[number]]
            return client.seconds(bed.port, paths)

        def bare(number, identifier=identifier, chosen=chosen):
            return floor.seconds(statements[identifier], chosen[number])

        def theirs(number, chosen=chosen):
            return client.seconds(tiler.port, [tiler.tile(*one) for one in chosen[number]])

        sides = {"ours": ours, BARE_SQL: bare}
        if tiler is not None and identifier == "WebMercatorQuad":
            sides["tipg"] = theirs
        rows += rows_of(name, alternate(sides, rounds))
    return rows
