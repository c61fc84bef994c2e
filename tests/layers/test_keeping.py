"""Keeping a layer: rights given and told, its changes, and taking it away for a while."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Department
from layers.actions import FeatureEdit, edit_features
from layers.exchange import imports
from layers.exchange.options import ImportOptions
from layers.exchange.rasters import importing as raster_import
from layers.exchange.receiving import receive
from layers.models import Grant, Layer
from layers.rights import operator_scope
from process import execution
from process.jobs import enqueue
from process.models import Job
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, grant, ground, square
from tests.people import body_of
from tests.rastermaking import ground as heights

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory", "callers")]

WEST_BOX = [[113.8, 22.4], [114.0, 22.4], [114.0, 22.8], [113.8, 22.8], [113.8, 22.4]]


@pytest.fixture(scope="module")
def callers(kept):
    offices = people.offices()
    return {
        "lin": people.person("lin", offices["data"], ["datamanager"]),
        "wang": people.person("wang", offices["transport"]),
        "zhao": people.person("zhao", offices["water"], ["surveyor"]),
        "sun": people.person("sun", offices["street"]),
    }


def told(caller, method: str, path: str, body=None, status: int = 200):
    answer = caller.ask(method, path, json.dumps(body) if body is not None else None)
    assert answer.status_code == status, body_of(answer)
    return json.loads(body_of(answer)) if body_of(answer) else None


def test_a_right_is_given_listed_and_taken_back(callers):
    layermaking.make_layer("keep_rights", ground("keep_rights"))
    lin, wang = callers["lin"], callers["wang"]
    path = "/api/layers/keep_rights/grants"
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    body = {
        "to": "department:transport",
        "actions": ["view", "query"],
        "fields": ["name"],
        "area": {"type": "Polygon", "coordinates": [WEST_BOX]},
        "until": day,
    }
    given = told(lin, "POST", path, body, 201)
    assert (given["to"], given["to_name_en"], given["on"]) == ("department:transport", "transport", "layer")
    assert (given["actions"], given["fields"], given["area_label"]) == (["view", "query"], ["name"], "drawn")
    assert given["created_by"] == "user:lin"
    assert told(lin, "POST", path, body, 201)["id"] == given["id"]
    items = wang.json("/ogc/collections/keep_rights/items")
    assert {one["properties"]["name"] for one in items["features"]} == {
        f"CANARY-keep_rights-west-{n}" for n in (1, 2, 3)
    }
    listed = told(lin, "GET", path)["grants"]
    assert given["id"] in {one["id"] for one in listed}
    assert {one["on"] for one in listed} == {"layer", "all"}
    told(lin, "DELETE", f"{path}/{given['id']}", status=204)
    assert wang.get("/ogc/collections/keep_rights/items").status_code == 404
    assert told(lin, "DELETE", f"{path}/{given['id']}", status=404)["code"] == "grant-not-found"
    broad = next(one for one in listed if one["on"] == "all")
    assert told(lin, "DELETE", f"{path}/{broad['id']}", status=409)["code"] == "grant-elsewhere"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "user:nobody_such"}, "bad-grant"),
        ({"to": "planner"}, "bad-grant"),
        ({"actions": ["own"]}, "bad-grant"),
        ({"fields": ["no_such"]}, "bad-grant"),
        ({"until": "2020-01-01"}, "bad-grant"),
        ({"area": {"division": "no such"}}, "bad-grant-area"),
        ({"area": {"type": "Point", "coordinates": [114, 22.5]}}, "bad-grant-area"),
        ({"area": {"type": "Polygon", "coordinates": [WEST_BOX], "crs": {}}}, "bad-grant-area"),
        ({"area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}, "bad-grant-area"),
        (
            {"area": {"type": "Polygon", "coordinates": [[[5e5, 0], [5e5, 9], [6e5, 9], [5e5, 0]]]}},
            "bad-grant-area",
        ),
        ({"area": {}}, "bad-grant-area"),
    ],
)
def test_a_right_that_means_nothing_is_refused(callers, change, code):
    layermaking.make_layer("keep_refused", [{"name": "a", "geometry": square(WEST, NORTH)}])
    before = Grant.objects.count()
    body = {"to": "public", "actions": ["view"], **change}
    assert told(callers["lin"], "POST", "/api/layers/keep_refused/grants", body, 422)["code"] == code
    assert Grant.objects.count() == before


def test_who_administers_a_part_gives_no_rights(callers):
    layer = layermaking.make_layer("keep_part", ground("keep_part"))
    west = layermaking.area(WEST - 500, NORTH - 500, WEST + 5000, NORTH + 5000)
    grant(layer, "department:transport", "view,admin", area=west)
    body = {"to": "user:wang", "actions": ["edit"]}
    refused = told(callers["wang"], "POST", "/api/layers/keep_part/grants", body, 403)
    assert refused["code"] == "whole-layer-only"
    assert told(callers["wang"], "DELETE", "/api/layers/keep_part", status=403)["code"] == "whole-layer-only"
    revisions = callers["wang"].json("/api/layers/keep_part/revisions")["revisions"]
    assert revisions[0]["counts"] == {"inserted": None, "updated": None, "deleted": None}


def test_everybody_who_can_see_a_layer_is_told_and_counted(callers):
    layer = layermaking.make_layer("keep_access", ground("keep_access"))
    grant(layer, "department:citycare", "view,query", fields=["name"])
    grant(layer, "department:citycare", "download")
    grant(layer, "user:wang", "view")
    grant(layer, "role:surveyor", "view")
    grant(layer, "public", "view")
    told_all = callers["lin"].json("/api/layers/keep_access/access")
    rows = {one["to"]: one for one in told_all["rows"]}
    assert (rows["department:citycare"]["actions"], rows["department:citycare"]["people"]) == (
        ["view", "query", "download"],
        1,  # Sun, two levels below
    )
    assert [one["fields"] for one in rows["department:citycare"]["limits"]] == [["name"], None]
    assert (rows["user:wang"]["to_name"], rows["user:wang"]["people"]) == ("wang", 1)
    assert (rows["role:surveyor"]["people"], rows["role:datamanager"]["people"]) == (1, 1)
    assert (rows["public"]["people"], rows["public"]["closed_by_secrecy"]) == (None, True)
    per = {one["code"]: one["people"] for one in told_all["departments"]}
    assert (per, told_all["people"]) == ({"data": 1, "street": 1, "transport": 1, "water": 1}, 4)

    Department.objects.filter(code="citycare").update(valid_to=timezone.localdate())
    closed = callers["lin"].json("/api/layers/keep_access/access")
    assert {one["code"] for one in closed["departments"]} == {"data", "transport", "water"}


def test_it_is_explained_why_someone_may_or_may_not(callers):
    layer = layermaking.make_layer("keep_why", ground("keep_why"))
    given = grant(layer, "department:citycare", "view", fields=["name"])
    lin = callers["lin"]

    def asked(who):
        return {one["action"]: one for one in lin.json(f"/api/layers/keep_why/access/{who}")["actions"]}

    sun = asked("user:sun")
    assert (sun["view"]["allowed"], sun["edit"]["allowed"]) == (True, False)
    assert sun["view"]["zh"] == [f"授权 {given.pk}：部门 citycare及其下属可对本图层查看（限字段 name）"]
    assert sun["view"]["en"] == [f"grant {given.pk}: citycare and below may view on this layer (fields name)"]
    assert sun["edit"]["en"] == ["no grant gives edit"]
    assert asked("department:street")["view"]["allowed"] is True
    assert asked("department:water")["view"]["allowed"] is False
    assert asked("role:datamanager")["admin"]["allowed"] is True
    assert "internal" in asked("public")["view"]["en"][0]
    missing = told(lin, "GET", "/api/layers/keep_why/access/user:nobody_such", status=404)
    assert missing["code"] == "nobody-called"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/layers/keep_odd/access/user:%00", 400),
        ("/api/layers/keep_odd/access/nobody", 404),
        ("/api/layers/keep_odd/revisions?before=99999999999999999999999", 400),
        ("/api/layers/%00/about", 400),
        ("/api/shelf?offset=-1", 400),
        ("/api/quality?department=%00", 400),
        ("/api/quality?layer=a%27--&code=%25s", 400),
    ],
)
def test_odd_questions_are_refused_calmly(callers, path, status):
    layermaking.make_layer("keep_odd", [{"name": "a", "geometry": square(WEST, NORTH)}])
    assert callers["lin"].get(path).status_code == status


def test_changes_are_listed_newest_first(callers):
    layermaking.make_layer("keep_past", ground("keep_past"))
    scope = operator_scope("keep_past")
    edits = [FeatureEdit("update", 1, 1, properties={"amount": 7})]
    edit_features(scope, edits, author="user:lin", reason="更正")
    listed = callers["lin"].json("/api/layers/keep_past/revisions")
    first, second = listed["revisions"]
    assert (first["revision"], first["kind"], first["author"], first["reason"]) == (
        2,
        "edit",
        "user:lin",
        "更正",
    )
    assert first["counts"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert (second["revision"], second["counts"]["inserted"], listed["next"]) == (1, 6, None)
    before = callers["lin"].json("/api/layers/keep_past/revisions?before=2")["revisions"]
    assert [one["revision"] for one in before] == [1]


def test_a_layer_is_taken_away_and_brought_back(callers):
    layer = layermaking.make_layer("keep_shelf", ground("keep_shelf"))
    grant(layer, "department:transport", "view,query,admin")
    grant(layer, "department:water", "view,query,publish")
    wang, zhao, lin = callers["wang"], callers["zhao"], callers["lin"]
    assert told(zhao, "DELETE", "/api/layers/keep_shelf", status=403)["code"] == "not-granted"
    told(wang, "DELETE", "/api/layers/keep_shelf")
    assert wang.get("/ogc/collections/keep_shelf").status_code == 404
    for one in (wang, lin):
        (shelved,) = [one for one in one.json("/api/shelf")["layers"] if one["name"] == "keep_shelf"]
        assert (shelved["deleted_by"], shelved["family"]) == ("user:wang", "polygon")
    assert zhao.json("/api/shelf") == {"layers": [], "total": 0}
    missing = told(zhao, "POST", "/api/layers/keep_shelf/restore", status=404)
    assert missing["code"] == "not-deleted"
    Layer.objects.filter(pk=layer.pk).update(secrecy="sensitive")
    told(wang, "POST", "/api/layers/keep_shelf/restore", status=404)
    Layer.objects.filter(pk=layer.pk).update(secrecy="internal")
    told(wang, "POST", "/api/layers/keep_shelf/restore")
    assert len(wang.json("/ogc/collections/keep_shelf/items")["features"]) == 6
    Layer.objects.filter(pk=layer.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert "keep_shelf" not in {one["name"] for one in lin.json("/api/shelf")["layers"]}
    told(lin, "POST", "/api/layers/keep_shelf/restore", status=404)


def test_a_raster_is_kept_like_a_layer(callers, tmp_path):
    lin, path = callers["lin"], heights(tmp_path / "heights.tif", nodata=-9999.0)
    options = ImportOptions(layer="keep_height", title="高程", department="data", actor="tests")
    job = enqueue(raster_import.KIND, imports._arguments(receive(path), options), created_by="tests")
    # Inside a test's transaction the database's clock stands still, so the job must be due before it began.
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
    context = execution.claim(job.pk)
    raster_import.run_raster_import(context)
    context.close()
    execution.release(context)
    about = lin.json("/api/layers/keep_height/about")
    assert (about["family"], about["fields"], about["limited"]) == ("raster", [], False)
    assert about["metadata"]["automatic"]["services"][0]["url"].endswith("/api/rasters/keep_height")
    told(lin, "POST", "/api/layers/keep_height/grants", {"to": "user:wang", "actions": ["view"]}, 201)
    assert lin.json("/api/layers/keep_height/access/user:wang")["actions"][0]["allowed"] is True
    assert len(lin.json("/api/layers/keep_height/revisions")["revisions"]) == 1
    told(lin, "PUT", "/api/layers/keep_height/metadata", {"document": {"title_zh": "数字高程"}})
    told(lin, "POST", "/api/layers/keep_height/metadata/approve", {"number": 1})
    assert "数字高程" in body_of(lin.get("/catalogue/keep_height/")).decode()
    told(lin, "DELETE", "/api/layers/keep_height")
    told(lin, "POST", "/api/layers/keep_height/restore")
