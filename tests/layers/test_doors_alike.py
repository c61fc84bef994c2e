"""The same caller is shown the same features through every door, and a guess at an answer tells nothing."""

import json
import tempfile
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.levels import city_grid
from spatial.tilegrids import matrix_sets
from tests import doors, exporting, layermaking, people
from tests.hostility import CALM
from tests.layermaking import NORTH, WEST, area, grant
from tests.matrix import LAYERS, SEES
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

MANY, ITEMS = 60, "/ogc/collections/alike/items"
HIDDEN = "remark"
GRID = matrix_sets(city_grid())["CityGrid"]


@pytest.fixture(scope="module")
def alike(callers):
    """Sixty squares over twenty kilometres."""
    random = np.random.default_rng(7)
    rows = [
        {
            "name": f"n{number}", "remark": f"r{number}", "day": date(2026, 1, 1),
            "geometry": layermaking.square(WEST + x, NORTH + y, 40),
        }
        for number, (x, y) in enumerate(random.uniform(0, 20_000, (MANY, 2)))
    ]  # fmt: skip
    return layermaking.make_layer("alike", rows)


@pytest.fixture(scope="module")
def limited():
    return people.program(people.offices()["street"], "alike")


def paged(caller, size: int) -> dict[int, dict]:
    found, path = {}, f"{ITEMS}?limit={size}"
    while path:
        page = caller.json(path)
        found |= {one["id"]: one["properties"] for one in page["features"]}
        path = next(
            (one["href"].split("testserver")[-1] for one in page["links"] if one["rel"] == "next"), None
        )
    return found


def in_tiles(caller, wanted_level: int = 6) -> dict[int, dict]:
    found = {}
    side = GRID.resolution(wanted_level) * 256
    first = (int((WEST - GRID.left) // side), int((GRID.top - NORTH - 20_100) // side))
    last = (int((WEST + 20_100 - GRID.left) // side), int((GRID.top - NORTH) // side))
    for x in range(first[0], last[0] + 1):
        for y in range(first[1], last[1] + 1):
            answer = caller.get(f"/tiles/alike/CityGrid/{wanted_level}/{x}/{y}.mvt")
            assert answer.status_code == 200
            layer = (
                doors.tile(answer.content).get("alike", {"features": []})
                if answer.content
                else {"features": []}
            )
            found |= {one["id"]: one["properties"] for one in layer["features"]}
    return found


def exported(caller, kind: str) -> dict[int, dict]:
    """The features of a file that a job writes."""
    asked = caller.ask("POST", "/api/layers/alike/exports", json.dumps({"format": kind}))
    assert asked.status_code == 202
    job = json.loads(body_of(asked))["job"]
    exporting.run(job)
    body = body_of(caller.get(f"/api/exports/{job}/file"))
    if kind == "geojson":
        return {one["id"]: one["properties"] for one in json.loads(body)["features"]}
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        file.write(body)
        file.flush()
        frame = gpd.read_file(file.name, layer=0, fid_as_index=True)
    return {int(fid): json.loads(row.drop("geometry").to_json()) for fid, row in frame.iterrows()}


def through_every_door(caller) -> dict[str, dict[int, dict]]:
    everywhere = "bbox=100,10,130,40&limit=10000"
    boxed = caller.json(f"{ITEMS}?{everywhere}")["features"]
    changed = caller.json("/ogc/collections/alike/changes?since=0&limit=10000")["features"]
    fresh = [one["feature"] for one in changed if one["op"] != "delete"]
    files = {kind: exported(caller, kind) for kind in ("geojson", "gpkg")}
    file = json.loads(body_of(caller.get("/catalogue/alike/download.geojson")))["features"]
    paged_found = paged(caller, 7)
    return {
        "pages": paged_found,
        "box": {one["id"]: one["properties"] for one in boxed},
        "one by one": {
            fid: json.loads(body_of(answer))["properties"]
            for fid in range(1, MANY + 1)
            if (answer := caller.get(f"{ITEMS}/{fid}")).status_code == 200
        },
        "changes": {one["id"]: one["properties"] for one in fresh},
        "file": {one["id"]: one["properties"] for one in file},
        **files,
        "tiles": in_tiles(caller),
    }


@given(
    st.lists(st.tuples(*[st.floats(0, 20_000)] * 4), min_size=1, max_size=3),
    st.sampled_from([None, ["name"], ["name", "day"]]),
)
@settings(max_examples=4, **CALM)
def test_the_same_scope_is_the_same_features_through_every_door(alike, limited, boxes, fields):
    grants = []
    for x0, y0, x1, y1 in boxes:
        place = (WEST + min(x0, x1), NORTH + min(y0, y1), WEST + max(x0, x1) + 50, NORTH + max(y0, y1) + 50)
        grants.append(
            grant(alike, "department:street", "view,query,download", area=area(*place), fields=fields)
        )
    layermaking.forget_catalogue()
    try:
        found = through_every_door(limited)
    finally:
        alike.grants.filter(department__code="street").delete()
        layermaking.forget_catalogue()
    names = {door: {fid: told["name"] for fid, told in shown.items()} for door, shown in found.items()}
    assert all(one == names["pages"] for one in names.values()), {
        door: len(one) for door, one in names.items()
    }
    for door, shown in found.items():
        for told in shown.values():
            assert fields is None or set(told) - {"valid_from", "valid_to"} <= set(fields), door


def test_a_box_decides_alone(alike, limited):
    """The property above would not notice a limit that no door keeps."""
    place = (WEST, NORTH, WEST + 10_000, NORTH + 20_100)
    grant(alike, "department:street", "view,query,download", area=area(*place))
    layermaking.forget_catalogue()
    found = paged(limited, 7)
    alike.grants.filter(department__code="street").delete()
    layermaking.forget_catalogue()
    assert 0 < len(found) < MANY
    assert shapely.box(*place).area > 0


ASKED = [
    "/ogc/collections/{name}", "/ogc/collections/{name}/items", "/ogc/collections/{name}/items/1",
    "/ogc/collections/{name}/schema", "/ogc/collections/{name}/queryables", "/ogc/collections/{name}/changes",
    "/tiles/{name}/CityGrid/0/0/0.mvt", "/catalogue/{name}/", "/catalogue/{name}/download.geojson",
]  # fmt: skip


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET"])
def test_a_hidden_layer_is_a_missing_one_by_every_method_and_condition(world, callers, path, method):
    seen = callers["admin"].get(path.format(name="own_ground"))
    guesses = [{}, {"if_none_match": seen.headers.get("ETag", '"1"')}, {"if_none_match": "*"}]
    guesses += [{"if_modified_since": "Thu, 01 Jan 2099 00:00:00 GMT"}, {"range": "bytes=0-9"}]
    for asking in ("public", "dept_b", "nobody"):
        for name in LAYERS:
            if asking in SEES[name]:
                continue
            missing = "never_made_at_all"[: len(name)]
            for sent in guesses:
                hidden = callers[asking].ask(method, path.format(name=name), **sent)
                twin = callers[asking].ask(method, path.format(name=missing), **sent)
                assert doors.without_identity(hidden, name) == doors.without_identity(twin, missing)


@pytest.mark.parametrize("parameter", ["sortby={}", "sortby=-{}", "properties={}", "filter={}%3D1", "{}=1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_hidden_field_is_a_missing_one_in_every_parameter(world, callers, parameter, method):
    told = []
    for field in ("remark_column_ground", "never_there_at_all__"):
        path = f"/ogc/collections/column_ground/items?limit=3&{parameter.format(field)}"
        answer = callers["fields_only"].ask(method, path)
        assert answer.status_code == 400
        told.append(doors.without_identity(answer, field))
    assert told[0] == told[1]
