"""The grids say the same in Python, in SQL, in MapProxy and in what is served."""

import json

import pytest
from mapproxy.grid.tile_grid import tile_grid

from layers.levels import city_grid
from tests.tiles.conftest import GRIDS, NAMES

METRES = 5e-10  # what the architecture promises; a double's last digit at these sizes


def some_tiles(grid):
    """The corner tiles of every level, and one within."""
    for z in grid.levels:
        columns, rows = grid.matrix_size(z)
        for x in {0, columns // 3, columns - 1}:
            for y in {0, rows // 3, rows - 1}:
                yield z, x, y


@pytest.mark.parametrize("name", NAMES)
def test_neighbours_share_their_edges_to_the_last_bit(name):
    grid = GRIDS[name]
    for z, x, y in some_tiles(grid):
        box = grid.bounds(z, x, y)
        if grid.contains(z, x + 1, y):
            assert grid.bounds(z, x + 1, y).xmin == box.xmax
        if grid.contains(z, x, y + 1):
            assert grid.bounds(z, x, y + 1).ymax == box.ymin


def test_both_modules_of_the_city_grid_agree():
    for z, x, y in some_tiles(GRIDS["CityGrid"]):
        assert GRIDS["CityGrid"].bounds(z, x, y) == pytest.approx(
            city_grid().tile_bounds(z, x, y), abs=METRES
        )


@pytest.mark.parametrize("name", NAMES)
def test_postgis_agrees(site, name):
    grid = GRIDS[name]
    level, below = grid.min_level, 0 if grid.aspect == 1 else 1
    # ST_TileEnvelope knows square quad trees: the national grid is the upper half of one twice as high.
    left, top = grid.left, grid.top
    side = grid.resolution(level) * 256 * grid.matrix_size(level)[0]
    text = """
        SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
          FROM (SELECT ST_TileEnvelope(%s, %s, %s, ST_MakeEnvelope(%s, %s, %s, %s, %s)) AS e) AS made
    """
    for z, x, y in some_tiles(grid):
        found = site.query(text, z - level + below, x, y, left, top - side, left + side, top, grid.srid)[0]
        assert tuple(found) == pytest.approx(tuple(grid.bounds(z, x, y)), abs=1e-7), (z, x, y)
        if name == "CityGrid":
            assert tuple(found) == pytest.approx(tuple(grid.bounds(z, x, y)), abs=METRES)


@pytest.mark.parametrize("name", NAMES)
def test_mapproxy_agrees(name):
    grid = GRIDS[name]
    columns, rows = grid.matrix_size(grid.min_level)
    side = grid.resolution(grid.min_level) * 256
    theirs = tile_grid(
        srs=f"EPSG:{grid.srid}",
        bbox=(grid.left, grid.top - rows * side, grid.left + columns * side, grid.top),
        res=[grid.resolution(z) for z in grid.levels],
        origin="nw",
    )
    near = METRES if name == "CityGrid" else 2e-8
    for z, x, y in some_tiles(grid):
        found = theirs.tile_bbox((x, y, z - grid.min_level))
        assert tuple(found) == pytest.approx(tuple(grid.bounds(z, x, y)), abs=near), (z, x, y)
        assert theirs.grid_sizes[z - grid.min_level] == grid.matrix_size(z)


@pytest.mark.parametrize("name", NAMES)
def test_the_served_tile_matrix_set_agrees(site, name):
    grid, served = GRIDS[name], site.json(f"/ogc/tileMatrixSets/{name}")
    north_first = served["orderedAxes"][0] in {"N", "Lat"}
    by_level = {int(one["id"]): one for one in served["tileMatrices"]}
    assert list(by_level) == list(grid.levels)
    for z, x, y in some_tiles(grid):
        one = by_level[z]
        assert (one["matrixWidth"], one["matrixHeight"]) == grid.matrix_size(z)
        left, top = one["pointOfOrigin"][::-1] if north_first else one["pointOfOrigin"]
        side = one["cellSize"] * one["tileWidth"]
        found = (left + x * side, top - (y + 1) * side, left + (x + 1) * side, top - y * side)
        assert found == pytest.approx(tuple(grid.bounds(z, x, y)), abs=METRES)


def test_what_the_map_page_is_told_agrees(site):
    told, grid = site.json("/api/map")["grid"], GRIDS["CityGrid"]
    assert (told["identifier"], told["crs"]) == ("CityGrid", f"EPSG:{grid.srid}")
    assert told["origin"] == [grid.left, grid.top]
    assert (told["size"], told["levels"]) == (grid.resolution(0) * 256, len(grid.levels))


def test_all_grids_are_listed_and_others_are_unknown(site):
    listed = site.json("/ogc/tileMatrixSets")["tileMatrixSets"]
    assert [one["id"] for one in listed] == NAMES
    for one in listed:
        assert site.json(one["links"][0]["href"].removeprefix(site.url))["id"] == one["id"]
    status, _, body = site.get("/ogc/tileMatrixSets/NoSuchGrid")
    assert (status, json.loads(body)["code"]) == (404, "unknown-grid")


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("CityGrid", 4_096_000),
        ("WebMercatorQuad", 559_082_264.028_717_8),
        ("CGCS2000Quad", 279_541_132.014_323_7),
    ],
)
def test_scale_denominators_are_those_of_the_standards(site, name, scale):
    first = site.json(f"/ogc/tileMatrixSets/{name}")["tileMatrices"][0]
    assert first["scaleDenominator"] == pytest.approx(scale, rel=1e-6)
