import json
from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.levels import MOST_BYTES, MOST_FEATURES
from tests.tiles.conftest import (
    COLUMN,
    EXTENT,
    GRIDS,
    LEVEL,
    NAMES,
    ROW,
    ids,
    imported,
    middle,
    tile,
    tile_at,
)


def around(grid, z, points):
    """The tiles of level z that hold one of the points (grid's units), and all their neighbours."""
    found = {tile_at(grid, z, *point) for point in points}
    return {
        (x + right, y + down)
        for x, y in found
        for right in (-1, 0, 1)
        for down in (-1, 0, 1)
        if grid.contains(z, x + right, y + down)
    }


@pytest.mark.parametrize(
    ("name", "z"),
    [
        ("CityGrid", LEVEL),
        ("CityGrid", LEVEL + 2),
        ("CityGrid", LEVEL + 4),
        ("WebMercatorQuad", 14),
        ("CGCS2000Quad", 15),
    ],
)
def test_each_label_is_in_exactly_one_tile(site, corners, name, z):
    grid = GRIDS[name]
    points = shapely.get_coordinates(corners.frame.to_crs(grid.srid).geometry)
    labels = Counter()
    for x, y in around(grid, z, points):
        labels.update(ids(tile(site, corners.name, name, z, x, y), "label"))
    assert labels == dict.fromkeys(range(1, len(points) + 1), 1)


def test_a_label_says_what_its_field_says(site, corners):
    layers = tile(site, corners.name, "CityGrid", LEVEL, COLUMN, ROW)
    texts = {one["id"]: one["properties"]["text"] for one in layers["label"]["features"]}
    assert texts
    assert texts == {fid: f"点{fid - 1}" for fid in texts}


def test_who_may_not_see_the_labels_field_gets_no_labels(site, buildings, corners, tmp_path):
    frame = corners.frame.assign(place="here")
    blind = imported(site, tmp_path / "blind.gpkg", "tile_blind", frame, "--label", "name", public=False)
    site.manage("grant", "--layer", blind.name, "--to", "department:transport", "--actions", "view")
    grants = ("--to", "department:water", "--actions", "view", "--fields", "place")
    site.manage("grant", "--layer", blind.name, *grants)
    assert "label" in tile(site, blind.name, "CityGrid", LEVEL, COLUMN, ROW, buildings.key)
    shown = tile(site, blind.name, "CityGrid", LEVEL, COLUMN, ROW, buildings.limited)
    assert set(shown) == {blind.name}
    assert all(one["properties"] == {"place": "here"} for one in shown[blind.name]["features"])


def test_the_buffer_holds_the_neighbours_edge(site, squares):
    shown = ids(tile(site, squares.name, "CityGrid", LEVEL, COLUMN, ROW), squares.name)
    places = [squares.frame["place"][fid - 1] for fid in shown]
    assert places == ["inside", "across", "in the buffer", "at the buffer's end"]


def test_a_shape_across_an_edge_is_cut_at_the_buffers_end(site, squares):
    left = tile(site, squares.name, "CityGrid", LEVEL, COLUMN - 1, ROW)[squares.name]["features"]
    right = tile(site, squares.name, "CityGrid", LEVEL, COLUMN, ROW)[squares.name]["features"]
    across = squares.frame.index[squares.frame["place"] == "across"][0] + 1
    spans = [
        sorted({x for one in side if one["id"] == across for x, _ in one["geometry"]["coordinates"][0]})
        for side in (left, right)
    ]
    assert spans == [[EXTENT - 10, EXTENT + 10], [-10, 10]]
    (end,) = [one for one in right if squares.frame["place"][one["id"] - 1] == "at the buffer's end"]
    assert min(x for x, _ in end["geometry"]["coordinates"][0]) == -64


@pytest.mark.parametrize("name", NAMES)
def test_a_small_layer_is_served_from_the_whole_world_on(site, squares, name):
    grid = GRIDS[name]
    for z in grid.levels:
        x, y = tile_at(grid, z, *middle(squares.frame, grid))
        layers = tile(site, squares.name, name, z, x, y)
        assert ids(layers, squares.name) or z < 12, (z, x, y)


@pytest.mark.parametrize("z", range(1, 19))
def test_the_national_grid_shows_a_point_where_it_lies(site, corners, z):
    grid = GRIDS["CGCS2000Quad"]
    # A point in the middle of a tile of the city's grid, whose neighbours are hundreds of metres away.
    fid = next(number for number, name in enumerate(corners.frame["name"], 1) if name == "点3")
    lon, lat = shapely.get_coordinates(corners.frame.to_crs(4490).geometry.iloc[fid - 1])[0]
    x, y = int((lon + 180) / (360 / 2**z)), int((90 - lat) / (360 / 2**z))
    found = [
        one
        for one in tile(site, corners.name, "CGCS2000Quad", z, x, y)[corners.name]["features"]
        if one["id"] == fid
    ]
    side = 360 / 2**z
    right, up = found[0]["geometry"]["coordinates"]
    there = (-180 + x * side + right / EXTENT * side, 90 - (y + 1) * side + up / EXTENT * side)
    assert there == pytest.approx((lon, lat), abs=side / EXTENT)
    assert grid.bounds(z, x, y).xmin <= lon < grid.bounds(z, x, y).xmax


@pytest.mark.parametrize("name", NAMES)
def test_no_tile_of_the_first_level_is_too_full(site, buildings, name):
    grid = GRIDS[name]
    told = site.json(f"/ogc/collections/{buildings.name}/tiles/{name}", buildings.key)["layers"][0]
    first = int(told["minTileMatrix"])
    points = shapely.get_coordinates(buildings.source.to_crs(4547).centroid.to_crs(grid.srid))
    side = grid.resolution(first) * 256
    cells = Counter(
        zip(
            ((points[:, 0] - grid.left) // side).astype(int),
            ((grid.top - points[:, 1]) // side).astype(int),
            strict=True,
        )
    )
    for (x, y), _ in cells.most_common(12):
        status, _, body = site.get(f"/tiles/{buildings.name}/{name}/{first}/{x}/{y}.mvt", buildings.key)
        assert status == 200
        assert len(body) <= MOST_BYTES, (x, y)
    assert cells.most_common(1)[0][1] <= MOST_FEATURES
    x, y = cells.most_common(1)[0][0]
    status, _, body = site.get(
        f"/tiles/{buildings.name}/{name}/{first - 1}/{x // 2}/{y // 2}.mvt", buildings.key
    )
    assert (status, body) == (204, b"")


def test_all_buildings_are_in_the_tiles_of_the_first_level(site, buildings):
    grid = GRIDS["CityGrid"]
    first = int(
        site.json(f"/ogc/collections/{buildings.name}/tiles/CityGrid", buildings.key)["layers"][0][
            "minTileMatrix"
        ]
    )
    some = buildings.source.geometry.iloc[::9000].to_crs(grid.srid)
    for number, point in zip(range(1, 109_610, 9000), shapely.get_coordinates(some.centroid), strict=True):
        layers = tile(site, buildings.name, "CityGrid", first, *tile_at(grid, first, *point), buildings.key)
        assert number in ids(layers, buildings.name)


def test_a_tile_has_an_etag_and_is_not_sent_twice(site, squares):
    address = f"/tiles/{squares.name}/CityGrid/{LEVEL}/{COLUMN}/{ROW}.mvt"
    status, headers, body = site.get(address)
    assert (status, headers["Cache-Control"], headers["Vary"]) == (
        200,
        "private, no-cache",
        "Authorization, Cookie",
    )
    again = site.get(address, headers={"If-None-Match": headers["ETag"]})
    assert (again[0], again[1]["ETag"], again[2]) == (304, headers["ETag"], b"")
    assert site.get(address, headers={"If-None-Match": '"other"'})[2] == body
    head = site.get(address, method="HEAD")
    assert (head[0], head[2]) == (200, b"")


def test_v_keeps_a_tile_only_while_it_is_the_newest(site, squares):
    address = f"/tiles/{squares.name}/CityGrid/{LEVEL}/{COLUMN}/{ROW}.mvt"
    layers = site.json("/api/layers")["layers"]
    revision = next(one["revision"] for one in layers if one["name"] == squares.name)
    assert site.get(f"{address}?v={revision}")[1]["Cache-Control"] == "private, max-age=60"
    assert site.get(f"{address}?v={revision}-3")[1]["Cache-Control"] == "private, max-age=60"
    assert site.get(f"{address}?v={revision + 1}")[1]["Cache-Control"] == "private, no-cache"
    for wrong in ("", "x", "1-", "-1", "1-2-3", "１"):
        status, _, body = site.get(f"{address}?v={wrong}" if wrong.isascii() else f"{address}?v=%EF%BC%91")
        assert (status, json.loads(body)["code"]) == (400, "bad-version"), wrong


def test_another_scope_has_another_etag(site, buildings):
    grid = GRIDS["CityGrid"]
    x, y = tile_at(grid, 12, *middle(buildings.source, grid))
    address = f"/tiles/{buildings.name}/CityGrid/12/{x}/{y}.mvt"
    whole, limited = (site.get(address, key)[1]["ETag"] for key in (buildings.key, buildings.limited))
    assert whole != limited
    assert site.get(address, buildings.limited, headers={"If-None-Match": whole})[0] == 200


def test_both_addresses_of_a_tile_give_the_same(site, squares):
    ours = site.get(f"/tiles/{squares.name}/CityGrid/{LEVEL}/{COLUMN}/{ROW}.mvt")[2]
    assert site.get(f"/ogc/collections/{squares.name}/tiles/CityGrid/{LEVEL}/{ROW}/{COLUMN}")[2] == ours


def test_the_tilesets_of_a_collection_are_those_of_the_standard(site, squares):
    listed = site.json(f"/ogc/collections/{squares.name}/tiles")
    assert [one["tileMatrixSetURI"].rsplit("/", 1)[1] for one in listed["tilesets"]] == NAMES
    for one in listed["tilesets"]:
        # OGC 17-083r4, TileSet Metadata: dataType, crs and links are required.
        assert one["dataType"] == "vector"
        assert one["crs"].startswith("http://www.opengis.net/def/crs/EPSG/")
        by_rel = {link["rel"]: link for link in one["links"]}
        assert site.json(by_rel["self"]["href"].removeprefix(site.url)) == one
        scheme = by_rel["http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"]["href"].removeprefix(site.url)
        assert site.json(scheme)["crs"] == one["crs"]
        (layer,) = one["layers"]
        assert (layer["id"], layer["dataType"]) == (squares.name, "vector")
        assert int(layer["minTileMatrix"]) <= int(layer["maxTileMatrix"])
        template = by_rel["item"]
        assert (template["templated"], template["type"]) == (True, "application/vnd.mapbox-vector-tile")
        grid = GRIDS[scheme.rsplit("/", 1)[1]]
        x, y = tile_at(grid, grid.max_level, *middle(squares.frame, grid))
        filled = {"{tileMatrix}": grid.max_level, "{tileRow}": y, "{tileCol}": x}
        address = template["href"].removeprefix(site.url)
        for name, value in filled.items():
            address = address.replace(name, str(value))
        assert site.get(address)[0] == 200


@pytest.mark.parametrize(
    "address",
    [
        "CityGrid/14/0/0",
        "CityGrid/0/1/0",
        "CityGrid/-1/0/0",
        "CityGrid/01/0/0",
        "CityGrid/1/0/2",
        "CityGrid/x/0/0",
        "CityGrid/1/0/9999999999",
        "WebMercatorQuad/25/0/0",
        "CGCS2000Quad/0/0/0",
        "CGCS2000Quad/19/0/0",
        "CGCS2000Quad/1/0/1",
    ],
)
def test_a_tile_outside_its_grid_is_not_there(site, squares, address):
    status, _, body = site.get(f"/tiles/{squares.name}/{address}.mvt")
    assert (status, json.loads(body)["code"]) == (404, "tile-outside")


def test_an_unknown_grid_is_named(site, squares):
    status, _, body = site.get(f"/tiles/{squares.name}/NoGrid/0/0/0.mvt")
    assert (status, json.loads(body)["code"]) == (404, "unknown-grid")


@pytest.mark.parametrize(
    "address",
    [
        "/tiles/NAME/CityGrid/9/185/255.mvt",
        "/tiles/NAME/NoGrid/9/185/255.mvt",
        "/tiles/NAME/CityGrid/99/0/0.mvt",
        "/tiles/NAME/CityGrid/9/185/255.mvt?v=x",
        "/tiles/NAME/CityGrid/9/185/255.mvt?nonsense=1",
        "/ogc/collections/NAME/tiles",
        "/ogc/collections/NAME/tiles/CityGrid",
        "/ogc/collections/NAME/tiles/NoGrid",
        "/ogc/collections/NAME/tiles/CityGrid/9/255/185",
    ],
)
def test_a_hidden_layer_answers_as_a_missing_one(site, buildings, address):
    answers = []
    for name in (buildings.name, "no_such_layer_ab"):
        status, headers, body = site.get(address.replace("NAME", name))
        told = json.loads(body)
        assert told.pop("request_id") == headers["X-Request-Id"]
        same = {
            key: value
            for key, value in headers.items()
            if key.lower() not in {"x-request-id", "date", "content-length"}
        }
        answers.append(
            (status, sorted(same.items()), json.dumps(told, ensure_ascii=False).replace(name, "NAME"))
        )
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_fields_with_odd_names_keep_them(site, tmp_path):
    names = ['a"b', "100%", "%(x)s", "名" * 21 + "字", "geom", "fid_", "text"]
    frame = gpd.GeoDataFrame(
        {name: [number] for number, name in enumerate(names)},
        geometry=shapely.points([[506_000.0, 2_494_000.0]]),
        crs=4547,
    )
    odd = imported(site, tmp_path / "odd.geojson", "tile_odd_names", frame)
    x, y = tile_at(GRIDS["CityGrid"], 10, 506_000.0, 2_494_000.0)
    (found,) = tile(site, odd.name, "CityGrid", 10, x, y)[odd.name]["features"]
    item = site.json(f"/ogc/collections/{odd.name}/items/1")["properties"]
    more = json.loads(found["properties"].pop("onemap_more", "{}"))
    assert {**found["properties"], **more} == {
        name: value for name, value in item.items() if value is not None
    }
    assert np.isfinite(list(item.values())).all()
