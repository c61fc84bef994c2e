"""A map client's view: what a decoded vector tile shows is what `/items` gives for the same box, in every grid."""

import json

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from spatial.crs import crs_of
from tests.tiles.conftest import EXTENT, GRIDS, NAMES, middle, tile, tile_at

BUFFER = 64


def items(site, layer, grid, box, key):
    """Features in a box, by id, asked for and answered in the grid's coordinate system and its axis order."""
    crs = crs_of(grid.srid)
    order = (1, 0, 3, 2) if crs.north_first else (0, 1, 2, 3)
    text = ",".join(repr(box[place]) for place in order)
    asked = f"/ogc/collections/{layer}/items?limit=10000&bbox={text}&bbox-crs={crs.uri}&crs={crs.uri}"
    status, headers, body = site.get(asked, key)
    assert (status, headers["Content-Crs"]) == (200, f"<{crs.uri}>"), body[:300]
    page = json.loads(body)
    assert page["numberMatched"] == page["numberReturned"]
    turn = (lambda xy: xy[:, ::-1]) if crs.north_first else (lambda xy: xy)
    return {
        one["id"]: (shapely.transform(shape(one["geometry"]), turn), one["properties"])
        for one in page["features"]
    }


def level_of(site, layer, grid, key):
    """The first level at which the layer is served, and one more where there is one."""
    told = site.json(f"/ogc/collections/{layer}/tiles/{grid.identifier}", key)["layers"][0]
    first = int(told["minTileMatrix"])
    return min(max(first, 9), grid.max_level)


def compare(site, layer, grid, index, key):
    """Compare one tile with the items of its box; how many features were compared."""
    z, x, y = index
    box = grid.bounds(z, x, y)
    unit = (box.xmax - box.xmin) / EXTENT
    wide = (
        box.xmin - BUFFER * unit,
        box.ymin - BUFFER * unit,
        box.xmax + BUFFER * unit,
        box.ymax + BUFFER * unit,
    )
    near, within = items(site, layer, grid, wide, key), items(site, layer, grid, tuple(box), key)
    shown = tile(site, layer, grid.identifier, z, x, y, key).get(layer, {"features": []})["features"]
    assert {one["id"] for one in shown} <= set(near)
    big = {
        fid
        for fid, (geometry, _) in within.items()
        if geometry.intersection(shapely.box(*box)).area > 16 * unit**2
    }
    assert big <= {one["id"] for one in shown}
    for one in shown:
        geometry, properties = near[one["id"]]
        told = {name: value for name, value in properties.items() if value is not None}
        assert {name: pytest.approx(value) for name, value in one["properties"].items()} == told
        drawn = shapely.transform(
            shape(one["geometry"]),
            lambda xy: np.column_stack((xy[:, 0], EXTENT - xy[:, 1])) * (unit, -unit) + (box.xmin, box.ymax),
        )
        if one["id"] in big:
            # Whole units of the tile: a corner moves by at most half of one each way.
            assert drawn.hausdorff_distance(geometry.intersection(shapely.box(*wide))) < 1.5 * unit, one["id"]
    return len(big)


@pytest.mark.parametrize("name", NAMES)
def test_public_blocks(site, blocks, name):
    grid = GRIDS[name]
    point = middle(blocks.source, grid, row=110)
    z = level_of(site, blocks.name, grid, None) + 4
    column, row = tile_at(grid, z, *point)
    assert compare(site, blocks.name, grid, (z, column, row), None) > 0


@pytest.mark.parametrize("name", NAMES)
def test_real_buildings(site, buildings, name):
    grid = GRIDS[name]
    named = buildings.source[buildings.source["name"].notna()]
    centre = named[named.intersects(shapely.box(114.05, 22.53, 114.07, 22.55))]
    point = middle(centre, grid)
    z = level_of(site, buildings.name, grid, buildings.key)
    column, row = tile_at(grid, z, *point)
    compared = sum(
        compare(site, buildings.name, grid, (z, column + right, row + down), buildings.key)
        for right in (0, 1)
        for down in (0, 1)
    )
    assert compared > 40


@pytest.mark.parametrize("name", NAMES)
def test_a_limited_key_finds_no_hidden_field_in_a_tile(site, buildings, name):
    grid = GRIDS[name]
    point = middle(buildings.source, grid)
    z = min(level_of(site, buildings.name, grid, buildings.limited) + 1, grid.max_level)
    layers = tile(site, buildings.name, name, z, *tile_at(grid, z, *point), buildings.limited)
    fields = {field for one in layers[buildings.name]["features"] for field in one["properties"]}
    assert fields <= {"name", "building"}
    assert len(layers[buildings.name]["features"]) > 0
