"""Vector tiles over HTTP: what is in them, for whom, and how long they may be kept."""

import json
import math

import pyproj
import pytest
import shapely

from layers.actions import FeatureEdit, edit_features
from layers.models import Layer
from layers.rights import Action, operator_scope
from tests import doors, layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, square
from tests.people import Caller

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 5_000, NORTH + 5_000)
PATH = "/tiles/blocks/CityGrid/5/9/15.mvt"  # all of the west
EVERYTHING = "/tiles/blocks/CityGrid/0/0/0.mvt"
TO_DEGREES = pyproj.Transformer.from_crs(4547, 4490, always_xy=True)
TO_MERCATOR = pyproj.Transformer.from_crs(4547, 3857, always_xy=True)


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def blocks(public):
    """Three blocks in the west, three in the east."""
    return layermaking.make_layer("blocks", layermaking.ground("blocks"), public=True, label_field="name")


def tile_of(caller, path):
    answer = caller.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/vnd.mapbox-vector-tile")
    return doors.tile(answer.content)


def fids(tile, layer="blocks"):
    return sorted(feature["id"] for feature in tile.get(layer, {"features": []})["features"])


def address(grid: str, z: int, x: float, y: float) -> tuple[int, int]:
    """Column and row of the tile that holds a point of the storage CRS: worked out here, not by the platform."""
    if grid == "CityGrid":
        side = 293_601.28 / 2**z
        return int((x - 400_000) // side), int((2_640_000 - y) // side)
    if grid == "WebMercatorQuad":
        edge = math.pi * 6_378_137
        east, north = TO_MERCATOR.transform(x, y)
        return int((east + edge) / (2 * edge) * 2**z), int((edge - north) / (2 * edge) * 2**z)
    lon, lat = TO_DEGREES.transform(x, y)
    return int((lon + 180) / 360 * 2**z), int((90 - lat) / 360 * 2**z)


@pytest.mark.parametrize("grid", ["CityGrid", "WebMercatorQuad", "CGCS2000Quad"])
@pytest.mark.parametrize("inside", ["tiles", "ogc"])
def test_a_feature_is_in_the_tile_of_its_place_in_every_grid(blocks, public, grid, inside):
    z = {"CityGrid": 9, "WebMercatorQuad": 16, "CGCS2000Quad": 16}[grid]
    row = layermaking.ground("blocks")[1]
    middle = row["geometry"].centroid
    x, y = address(grid, z, middle.x, middle.y)
    path = (
        f"/tiles/blocks/{grid}/{z}/{x}/{y}.mvt"
        if inside == "tiles"
        else f"/ogc/collections/blocks/tiles/{grid}/{z}/{y}/{x}"
    )
    tile = tile_of(public, path)
    assert 2 in fids(tile)
    feature = next(one for one in tile["blocks"]["features"] if one["id"] == 2)
    assert feature["properties"]["name"] == "CANARY-blocks-west-2"
    assert feature["properties"]["amount"] == 20
    assert tile["blocks"]["extent"] == 4096


def test_coordinates_in_the_tile_are_those_of_the_ground(blocks, public):
    """Square 2 in CityGrid level 9, cut to its tile: corners back from tile units to metres."""
    side = 293_601.28 / 2**9
    shape = layermaking.ground("blocks")[1]["geometry"]
    x, y = address("CityGrid", 9, shape.centroid.x, shape.centroid.y)
    tile = tile_of(public, f"/tiles/blocks/CityGrid/9/{x}/{y}.mvt")
    feature = next(one for one in tile["blocks"]["features"] if one["id"] == 2)
    ring = feature["geometry"]["coordinates"][0]
    left, top, margin = 400_000 + x * side, 2_640_000 - y * side, side * 64 / 4096
    cut = shape.intersection(
        shapely.box(left - margin, top - side - margin, left + side + margin, top + margin)
    )
    east = [400_000 + (x + column / 4096) * side for column, _ in ring]
    north = [2_640_000 - (y + row / 4096) * side for _, row in ring]
    assert (min(east), min(north), max(east), max(north)) == pytest.approx(cut.bounds, abs=side / 4096)


def test_each_label_stands_in_one_tile_only(blocks, public):
    names = []
    for x in range(16, 28):
        for y in range(28, 33):
            tile = tile_of(public, f"/tiles/blocks/CityGrid/6/{x}/{y}.mvt")
            names += [
                feature["properties"]["text"] for feature in tile.get("label", {"features": []})["features"]
            ]
    assert sorted(names) == sorted(row["name"] for row in layermaking.ground("blocks"))


def test_no_label_where_its_field_is_hidden(blocks, public):
    blocks.grants.all().delete()
    grant(blocks, "department:water", "view", fields=["amount"])
    tile = tile_of(people.program(people.offices()["water"]), PATH)
    assert set(tile) == {"blocks"}
    assert {name for one in tile["blocks"]["features"] for name in one["properties"]} == {"amount"}


def test_the_callers_area_cuts_features_and_labels(blocks, public):
    blocks.grants.all().delete()
    grant(blocks, "department:water", "view", area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    everything = tile_of(caller, EVERYTHING)
    assert fids(everything, "label") == [1, 2, 3]
    assert fids(tile_of(caller, PATH)) == [1, 2, 3]
    column, row = address("CityGrid", 5, EAST + 1500, NORTH + 1500)
    assert caller.get(f"/tiles/blocks/CityGrid/5/{column}/{row}.mvt").content == b""


def test_a_field_shown_in_one_area_is_absent_in_the_tile_outside(blocks, public):
    blocks.grants.all().delete()
    grant(blocks, "department:water", "view", fields=["amount"])
    grant(blocks, "department:water", "view", fields=["name"], area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    assert fids(tile_of(caller, EVERYTHING), "label") == [1, 2, 3]


def test_below_the_first_level_there_is_nothing_to_see(blocks, public):
    Layer.objects.filter(pk=blocks.pk).update(first_levels={"CityGrid": 5})
    assert public.get("/tiles/blocks/CityGrid/4/4/7.mvt").status_code == 204
    assert public.get(PATH).status_code == 200
    document = public.json("/ogc/collections/blocks/tiles/CityGrid")
    assert (document["layers"][0]["minTileMatrix"], document["layers"][0]["maxTileMatrix"]) == ("5", "13")


def test_headers_by_revision(blocks, public):
    plain = public.get(PATH)
    assert plain.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(plain.headers["Vary"].replace(",", "").split())
    assert public.get(f"{PATH}?v=1").headers["Cache-Control"] == "private, max-age=60"
    assert public.get(f"{PATH}?v=1-7").headers["Cache-Control"] == "private, max-age=60"
    assert public.get(f"{PATH}?v=2").headers["Cache-Control"] == "private, no-cache"
    assert public.get(PATH, if_none_match=plain.headers["ETag"]).status_code == 304


def test_the_etag_changes_with_the_data_and_with_the_rights(blocks, public):
    before = public.get(PATH).headers["ETag"]
    edit = FeatureEdit("update", 2, 1, properties={"amount": 21})
    edit_features(operator_scope("blocks", Action.EDIT), [edit], author="tests", reason="survey")
    after = public.get(PATH, if_none_match=before)
    assert after.status_code == 200
    assert after.headers["ETag"] != before
    blocks.grants.all().delete()
    grant(blocks, "public", "view", fields=["name"])
    limited = public.get(PATH, if_none_match=after.headers["ETag"])
    assert (limited.status_code, "amount" in str(doors.tile(limited.content))) == (200, False)


def test_a_tile_of_the_past(blocks, public):
    scope = operator_scope("blocks", Action.EDIT)
    edit_features(scope, [FeatureEdit("delete", 1, 1)], author="tests", reason="survey")
    edit_features(
        scope, [FeatureEdit("update", 2, 1, geometry=square(EAST, NORTH))], author="tests", reason="survey"
    )
    assert fids(tile_of(public, PATH)) == [3]
    assert fids(tile_of(public, f"{PATH}?as-of=rev:2")) == [2, 3]
    assert fids(tile_of(public, f"{PATH}?as-of=rev:1")) == [1, 2, 3]


@pytest.mark.parametrize(
    ("tail", "status", "code"),
    [
        ("CityGrid/14/0/0", 404, "tile-outside"),
        ("CityGrid/0/1/0", 404, "tile-outside"),
        ("CityGrid/-1/0/0", 404, "tile-outside"),
        ("CityGrid/00/0/0", 404, "tile-outside"),
        ("CityGrid/1e0/0/0", 404, "tile-outside"),
        ("CityGrid/１/0/0", 404, "tile-outside"),
        ("CityGrid/999999999/0/0", 404, "tile-outside"),
        ("CityGrid/9999999999/0/0", 404, "tile-outside"),
        ("WebMercatorQuad/0/0/1", 404, "tile-outside"),
        ("CGCS2000Quad/0/0/0", 404, "tile-outside"),  # its levels are 1 to 18
        ("CGCS2000Quad/1/0/1", 404, "tile-outside"),
        ("citygrid/0/0/0", 404, "unknown-grid"),
        ("..%2f/0/0/0", 404, None),
    ],
)
def test_there_is_no_such_tile(blocks, public, tail, status, code):
    answer = public.get(f"/tiles/blocks/{tail}.mvt")
    assert answer.status_code == status
    assert code is None or json.loads(answer.content)["code"] == code


@pytest.mark.parametrize(
    "query", ["v=", "v=x", "v=1.5", "v=１", "v=-1", "v=1&v=1", "unknown=1", "as-of=x", "datetime=x"]
)
def test_a_parameter_that_cannot_be_read_is_refused(blocks, public, query):
    assert public.get(f"{PATH}?{query}").status_code == 400


@pytest.mark.parametrize("grid", ["CityGrid", "WebMercatorQuad", "CGCS2000Quad"])
def test_the_corners_of_the_world_are_tiles_too(blocks, public, grid):
    level = {"CityGrid": 13, "WebMercatorQuad": 18, "CGCS2000Quad": 18}[grid]
    first = 1 if grid == "CGCS2000Quad" else 0
    last, rows = 2**level - 1, 2**level // (2 if grid == "CGCS2000Quad" else 1) - 1
    for z, x, y in ((first, 0, 0), (level, 0, 0), (level, last, rows), (level, last, 0), (level, 0, rows)):
        assert public.get(f"/tiles/blocks/{grid}/{z}/{x}/{y}.mvt").status_code == 200


def test_tile_sets_tell_where_their_tiles_are(blocks, public):
    listed = public.json("/ogc/tileMatrixSets")["tileMatrixSets"]
    assert [one["id"] for one in listed] == ["WebMercatorQuad", "CGCS2000Quad", "CityGrid"]
    for one in listed:
        document = public.json(one["links"][0]["href"].removeprefix("http://testserver"))
        assert document["id"] == one["id"]
        assert document["tileMatrices"]
    for one in public.json("/ogc/collections/blocks/tiles")["tilesets"]:
        item = next(link for link in one["links"] if link["rel"] == "item")
        level = one["layers"][0]["minTileMatrix"]
        path = item["href"].format(tileMatrix=level, tileRow=0, tileCol=0).removeprefix("http://testserver")
        assert public.get(path).status_code == 200


def test_long_and_awkward_field_names_come_through(public):
    long = "一个非常长的字段名称用来检验六十三个字节的限制是否被正确处理" * 2
    names = ['quote"d', "per%cent", "brace{}", "空 格", long, "fid_", "label"]
    rows = [{**{name: f"value of {name}" for name in names}, "geometry": square(WEST + 500, NORTH + 500)}]
    layermaking.make_layer("awkward", rows, public=True, label_field='quote"d')
    tile = tile_of(public, PATH.replace("blocks", "awkward"))
    properties = tile["awkward"]["features"][0]["properties"]
    for name in names:
        assert properties[name] == f"value of {name}"
    assert tile["label"]["features"][0]["properties"]["text"] == 'value of quote"d'
