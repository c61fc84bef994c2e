"""What is no plain layer of features, through its doors: rasters, joined tables, overviews, drafts, exported files."""

import json
import re
import struct

import numpy as np
import pytest

from layers.exchange.options import ImportOptions
from layers.models import Layer
from layers.overviews.following import behind, catch_up
from tests import doors, exporting, layermaking, rastermaking
from tests.changesetting import begin
from tests.layermaking import EAST, NORTH, WEST, area, grant, import_file, make_layer
from tests.matrix import ASKING, LAYER_DOORS, SEES, WEST_BOX, Door, ask, assert_silent, corner_of
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

# A raster of 40 × 40 cells: its west and its east have one value each.
IN_THE_WEST, IN_THE_EAST = 1111.25, 4242.5
MIDDLE = rastermaking.WEST + 200
HEIGHTS, DEEDS = "own_heights", "own_deeds"
RASTER_DOORS = (
    "/api/rasters/{name}/value?x=505355&y=2499800",
    "/api/rasters/{name}/value?x=505355&y=2499800&as-of=rev:1",
    "/api/rasters/{name}/profile?line=505005 2499800,505395 2499800&step=10",
    "/api/rasters/{name}/window?bbox=505000,2499600,505400,2500000&width=40&height=40",
    "/api/rasters/{name}/window?bbox=505000,2499600,505400,2500000&width=40&height=40&f=raw",
)
ACTIONS = {"public": "", "dept_a": "view,query,download", "dept_b": "view", "area_only": "view,query"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module")
def heights(world, folder):
    """All of it for transport, its being there for water, its west for emergency."""
    cells = np.full((40, 40), IN_THE_WEST, dtype="float32")
    cells[:, 20:] = IN_THE_EAST
    path = rastermaking.write(folder / f"{HEIGHTS}.tif", cells, nodata=-9999.0)
    import_file(path, ImportOptions(layer=HEIGHTS, title="高程", department="data", actor="tests"))
    return given(Layer.objects.get(name=HEIGHTS), (rastermaking.WEST - 500, NORTH - 500, MIDDLE, NORTH + 500))


@pytest.fixture(scope="module")
def deeds(world, folder):
    """A table that joins lots, one in the west and one in the east, and lies where they lie."""
    places = {"A1": WEST, "B1": EAST}
    rows = [{"code": code, "geometry": layermaking.square(x, NORTH)} for code, x in places.items()]
    lots = make_layer("own_lots", rows, key="code", secrecy="public")
    grant(lots, "public", "view,query")
    path = folder / f"{DEEDS}.csv"
    path.write_text("lot_code,owner\nA1,CANARY-deeds-west\nB1,CANARY-deeds-east\n", encoding="utf-8")
    told = {"title": "TITLE-deeds", "department": "data", "actor": "tests"}
    import_file(path, ImportOptions(layer=DEEDS, joins="own_lots", join_field="lot_code", **told))
    return given(Layer.objects.get(name=DEEDS), WEST_BOX)


def given(layer, box):
    grant(layer, "department:transport", ACTIONS["dept_a"])
    grant(layer, "department:water", ACTIONS["dept_b"])
    grant(layer, "department:emergency", ACTIONS["area_only"], area=area(*box))
    return layer


def try_door(caller, asking, door, path, name):
    """A hidden layer answers as one that never was, a right too few by name; the answer, where the right is there."""
    answer, actions = ask(caller, door, path.format(name=name)), ACTIONS[asking].split(",")
    if not ACTIONS[asking]:
        twin = "x" * len(name)
        missing = ask(caller, door, path.format(name=twin))
        assert answer.status_code == 404, path
        assert doors.without_identity(answer, name) == doors.without_identity(missing, twin), path
        return None
    if door.needs not in actions:
        assert (answer.status_code, json.loads(body_of(answer))["code"]) == (403, "not-granted"), path
        return None
    assert answer.status_code not in {403, 404} or "layer-not-found" not in doors.readable(answer), path
    return answer


@pytest.mark.parametrize("asking", ACTIONS)
def test_a_raster_tells_its_values_where_they_are_granted(heights, callers, asking):
    for path in RASTER_DOORS:
        answer = try_door(callers[asking], asking, Door("query", (path,)), path, HEIGHTS)
        if answer is None:
            continue
        assert answer.status_code == 200, path
        text = doors.readable(answer)
        west, east = (f"{one}" in text or floats(one) in text for one in (IN_THE_WEST, IN_THE_EAST))
        assert east is (asking == "dept_a"), path
        assert west is ("value?" not in path), path
    listed = callers[asking].json("/api/rasters")["rasters"]
    assert (HEIGHTS in {one["name"] for one in listed}) is bool(ACTIONS[asking])
    about = callers[asking].get(f"/api/rasters/{HEIGHTS}")
    assert about.status_code == (200 if ACTIONS[asking] else 404)
    assert (f"{IN_THE_EAST}" in doors.readable(about)) is (asking in {"dept_a", "dept_b"})  # of the whole


def floats(value):
    """As a window in raw bytes holds it."""
    return struct.pack("<f", value).decode("latin-1")


@pytest.mark.parametrize("asking", ACTIONS)
def test_a_table_shows_the_rows_of_the_lots_that_are_seen(deeds, callers, asking):
    hidden = {"public": "CANARY-deeds", "dept_b": "CANARY-deeds", "area_only": "deeds-east"}.get(asking)
    for route, door in LAYER_DOORS.items():
        for path in door.paths:
            if "tiles" in route:  # a table has none
                assert ask(callers[asking], door, path.format(name=DEEDS)).status_code == 404
                continue
            answer = try_door(callers[asking], asking, door, path, DEEDS)
            text = "" if answer is None else doors.readable(answer)
            assert hidden is None or hidden not in text, (route, path)
            plain = door.shows and answer is not None and answer.status_code == 200 and "?" not in path
            assert "CANARY-deeds-west" in text or not plain, (route, path)
    for fid, side in ((1, "west"), (2, "east")):
        text = doors.readable(callers[asking].get(f"/api/layers/own_lots/features/{fid}/related"))
        shown = asking == "dept_a" or (asking, side) == ("area_only", "west")
        assert (f"CANARY-deeds-{side}" in text) is shown


OVERVIEWS = tuple(
    f"/tiles/{{name}}/{tile}.mvt{more}"
    for tile in ("CityGrid/0/0/0", "CityGrid/3/2/3", "WebMercatorQuad/0/0/0")
    for more in ("", "?v=x", "?datetime=2026-01-01")
)


@pytest.fixture(scope="module")
def small_zooms(world):
    """Every layer is shown by overviews below its levels; class and label are the field that is hidden."""
    Layer.objects.filter(name__in=SEES).update(first_levels={"CityGrid": 5, "WebMercatorQuad": 12})
    while waiting := behind():
        for one in waiting:
            catch_up(one, by_job=False)


@pytest.mark.parametrize("asking", ASKING)
def test_overviews_show_what_single_features_do_and_no_more(small_zooms, callers, asking):
    seen = set()
    for name in SEES:
        for path in OVERVIEWS:
            answer = callers[asking].get(path.format(name=name))
            assert_silent(answer, asking)
            assert answer.status_code in ({200, 204, 400} if asking in SEES[name] else {404}), path
            if answer.status_code == 200 and doors.tile(answer.content):
                seen.add(name)
        facts = callers[asking].get(f"/ogc/collections/{name}/tiles/CityGrid")
        assert_silent(facts, asking)
    assert {name for name in SEES if asking in SEES[name]} - seen <= {"area_ground", "column_ground"}


def written(fid, version='"1"'):
    """The requests of part 4: of a feature of the editor's area (1), outside it (4), or of none."""
    x, y = corner_of(3, 4)
    ring = [layermaking.LON_LAT.transform(*one) for one in layermaking.square(x, y).exterior.coords]
    shape = {"type": "Polygon", "coordinates": [ring]}
    east = {"type": "Feature", "geometry": shape, "properties": {"name": "x"}}
    return (
        ("PUT", f"/items/{fid}", east, "application/geo+json", version),
        ("PATCH", f"/items/{fid}", {"properties": {"name": "x"}}, "application/merge-patch+json", version),
        ("DELETE", f"/items/{fid}", None, "application/geo+json", version),
        ("POST", "/items", east, "application/geo+json", None),
    )


def send(caller, request, name, number):
    method, path, body, kind, version = request
    headers = {"HTTP_IF_MATCH": version} if version else {}
    if caller.key is not None:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {caller.key}"
    address = f"/ogc/collections/{name}{path}?changeset={number}"
    return caller.client.generic(
        method, address, json.dumps(body) if body else "", content_type=kind, **headers
    )


@pytest.mark.parametrize("asking", ASKING)
def test_writing_into_a_changeset_that_is_there(world, callers, asking):
    """The editor's own: nobody else finds it, and it opens nothing that the editor may not see."""
    number, caller = begin(callers["editor"]), callers[asking]
    for name in SEES:
        sees, actions = SEES[name].get(asking, (None, ""))
        for fid in (4, 999):
            for request in written(fid):
                answer = send(caller, request, name, number)
                assert_silent(answer, asking)
                if sees is None or "edit" in actions.split(",") and asking != "editor":
                    never = send(caller, request, name, 99_999_999)
                    assert doors.without_identity(answer) == doors.without_identity(never)
                    assert answer.status_code == 404
                elif asking != "editor":
                    assert answer.status_code == 403
        if (asking, name) == ("editor", "area_ground"):
            for there, never in zip(written(4), written(999), strict=True):
                answers = [send(caller, one, name, number) for one in (there, never)]
                told = {re.sub(r"\b(4|999)\b", "N", doors.without_identity(one)[2]) for one in answers}
                assert len(told) == 1
                assert {one.status_code for one in answers} <= {403, 404}
    changed = callers["editor"].json(f"/api/changesets/{number}/diff")["changes"]
    assert {one["layer"] for one in changed} <= {"own_ground"}
    assert bool(changed) is (asking == "editor")


@pytest.mark.parametrize(
    ("asker", "name"),
    [("dept_a", "own_ground"), ("fields_only", "column_ground"), ("area_only", "area_ground")],
)
def test_an_exported_file_holds_what_its_asker_sees_and_is_theirs_alone(world, callers, asker, name):
    for kind in (".csv", ".gpkg"):
        body = json.dumps({"format": kind})
        told = callers[asker].ask("POST", f"/api/layers/{name}/exports", body)
        assert told.status_code == 202, body_of(told)
        job = json.loads(body_of(told))["job"]
        exporting.run(job)
        for asking in ASKING:
            for rest in ("", "/file"):
                answer = callers[asking].get(f"/api/exports/{job}{rest}")
                assert_silent(answer, asking)
                if asking == asker:
                    assert answer.status_code == 200
                    assert not rest or f"CANARY-{name}-west-1" in doors.readable(answer)
                else:
                    missing = callers[asking].get(f"/api/exports/99999999{rest}")
                    assert doors.without_identity(answer) == doors.without_identity(missing)
