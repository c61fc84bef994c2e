"""Rights that end, callers in turn, and writing within one's rights."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions import revoke_key
from accounts.models import Department, ServiceKey
from layers.models import Layer
from layers.overviews.following import behind, catch_up
from tests import doors, layermaking
from tests.layermaking import grant
from tests.matrix import (
    LAYER_DOORS,
    ask,
    corner_of,
)
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


def test_a_right_taken_back_closes_every_door_at_once(world, callers):
    for route, door in LAYER_DOORS.items():
        for path in door.paths:
            assert ask(callers["dept_a"], door, path.format(name="own_ground")).status_code != 401, route
    world["own_ground"].grants.filter(department__code="transport").delete()
    for route, door in LAYER_DOORS.items():
        for path in door.paths:
            answer = ask(callers["dept_a"], door, path.format(name="own_ground"))
            assert b"layer-not-found" in body_of(answer), (route, path)


@pytest.mark.parametrize("route", LAYER_DOORS)
def test_the_first_request_after_a_right_is_taken_back_is_refused(world, callers, route):
    """Each door is the first to be asked: none may answer from what the process remembers."""
    door = LAYER_DOORS[route]
    kept_grants = list(world["own_ground"].grants.filter(department__code="transport"))
    for path in door.paths:
        callers["dept_a"].get("/ogc/collections/own_ground")
        world["own_ground"].grants.filter(department__code="transport").delete()
        answer = ask(callers["dept_a"], door, path.format(name="own_ground"))
        assert b"layer-not-found" in body_of(answer), path
        for one in kept_grants:
            one.save(force_insert=True)
        again = ask(callers["dept_a"], door, path.format(name="own_ground"))
        assert b"layer-not-found" not in body_of(again), path


def test_a_level_below_the_first_tells_nothing_after_the_right_is_gone(world, callers):
    Layer.objects.filter(name="own_ground").update(first_levels={"CityGrid": 9})
    path = "/tiles/own_ground/CityGrid/3/2/2.mvt"
    assert callers["dept_a"].get(path).status_code == 204
    world["own_ground"].grants.filter(department__code="transport").delete()
    assert callers["dept_a"].get(path).status_code == 404


def test_two_callers_in_turn_never_get_each_others_tile(world, callers):
    path = "/tiles/area_ground/CityGrid/0/0/0.mvt"
    tags = {}
    for _ in range(3):
        for asking, count in (("dept_a", 6), ("area_only", 3), ("dept_a", 6)):
            answer = callers[asking].get(path)
            assert len(doors.tile(answer.content)["area_ground"]["features"]) == count
            assert tags.setdefault(asking, answer.headers["ETag"]) == answer.headers["ETag"]
    assert tags["dept_a"] != tags["area_only"]
    assert callers["area_only"].get(path, if_none_match=tags["dept_a"]).status_code == 200
    assert callers["area_only"].get(path, if_none_match=tags["area_only"]).status_code == 304


@pytest.mark.parametrize(
    ("asking", "edit", "status", "code"),
    [
        # Outside the editor's area a feature does not exist, whatever is asked of it.
        (
            "editor",
            {"op": "update", "fid": 4, "version": 1, "properties": {"amount": 1}},
            404,
            "feature-not-found",
        ),
        ("editor", {"op": "delete", "fid": 4, "version": 1}, 404, "feature-not-found"),
        ("editor", {"op": "delete", "fid": 4_000, "version": 1}, 404, "feature-not-found"),
        ("editor", {"op": "update", "fid": 1, "version": 1, "geometry": "east"}, 403, "outside-area"),
        ("editor", {"op": "insert", "geometry": "east"}, 403, "outside-area"),
    ],
)
def test_an_area_bounds_writing_too(world, callers, asking, edit, status, code):
    if edit.get("geometry") == "east":
        x, y = corner_of(3, 5)
        shape = layermaking.square(x, y)
        ring = [layermaking.LON_LAT.transform(*point) for point in shape.exterior.coords]
        edit = {**edit, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    body = json.dumps({"reason": "matrix", "edits": [edit]})
    answer = callers[asking].ask("POST", "/api/layers/area_ground/changes", body)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (status, code)
    assert Layer.objects.get(name="area_ground").revision == 1


def test_a_hidden_field_cannot_be_written_and_is_not_named(world, callers):
    grant(world["column_ground"], "role:editor", "view,query,edit", fields=["name"])
    answers = []
    for field in ("remark_column_ground", "never_there_at_all__"):
        edit = {"op": "update", "fid": 1, "version": 1, "properties": {field: "x"}}
        body = json.dumps({"reason": "matrix", "edits": [edit]})
        answer = callers["editor"].ask("POST", "/api/layers/column_ground/changes", body)
        assert answer.status_code == 422
        answers.append(doors.without_identity(answer, field))
    assert answers[0] == answers[1]


def test_restoring_and_undoing_stay_within_the_area(world, callers):
    """What lies outside the area can be brought back by nobody who cannot see it."""
    edit = {"op": "update", "fid": 4, "version": 1, "properties": {"amount": 4_000}}
    body = json.dumps({"reason": "survey", "edits": [edit]})
    assert callers["admin"].ask("POST", "/api/layers/area_ground/changes", body).status_code == 200
    for path, revision in (("features/4/restore", 1), ("undo", 2)):
        sent = json.dumps({"revision": revision, "reason": "matrix"})
        answer = callers["editor"].ask("POST", f"/api/layers/area_ground/{path}", sent)
        assert answer.status_code in {403, 404}, path
    assert Layer.objects.get(name="area_ground").revision == 2


KEPT = (
    "/tiles/own_ground/CityGrid/0/0/0.mvt?v={revision}-1",
    "/tiles/own_ground/CityGrid/0/0/0.mvt",
    "/ogc/collections/own_ground/tiles/CityGrid/0/0/0",
    "/ogc/collections/own_ground/items",
    "/ogc/collections/own_ground/items/1",
    "/ogc/collections/own_ground/changes",
    "/ogc/collections/own_ground/schema",
    "/catalogue/own_ground/",
)
REMEMBERED = (
    "/tiles/own_ground/CityGrid/8/76/122.mvt",
    "/api/identify?x=490523.4567&y=2500350&crs=EPSG:4547&tolerance=1000&layers=own_ground",
    "/api/layers/own_ground/features/1/history",
    "/ogc/collections/own_ground/items?filter=amount=10",
    "/ogc/collections/own_ground/items?as-of=rev:1",
    "/ogc/collections/own_ground/queryables",
)


@pytest.mark.parametrize("path", KEPT)
def test_what_was_answered_is_no_longer_confirmed_when_the_right_is_gone(world, callers, path):
    """A tag known from before is answered neither 304 nor 200, and nothing is kept for longer than a minute."""
    path = path.format(revision=world["own_ground"].revision)
    before = callers["dept_a"].get(path)
    assert before.status_code == 200
    found = re.search(r"max-age=(\d+)", before.headers.get("Cache-Control", ""))
    assert found is None or int(found[1]) <= 60
    assert "public" not in before.headers["Cache-Control"]
    world["own_ground"].grants.filter(department__code="transport").delete()
    for tag in {before.headers.get("ETag", '"1"'), "*"}:
        after = callers["dept_a"].get(path, if_none_match=tag)
        assert after.status_code == 404
        assert b"layer-not-found" in body_of(after)


def ends_a_grant(caller, layer, later):
    layer.grants.filter(department__code="transport").update(until=later)
    layermaking.forget_catalogue()


def ends_a_key(caller, layer, later):
    ServiceKey.objects.filter(department__code="transport").update(expires_at=later)


def revokes_a_key(caller, layer, later):
    for key in ServiceKey.objects.filter(department__code="transport", revoked_at=None):
        revoke_key(key, "tests")


def closes_a_department(caller, layer, later):
    Department.objects.filter(code="transport").update(valid_to=timezone.localdate())


def takes_a_role(caller, layer, later):
    caller.user.roles.clear()


def ends_an_account(caller, layer, later):
    type(caller.user).objects.filter(pk=caller.user.pk).update(is_active=False)


@pytest.mark.parametrize(
    ("asking", "end"),
    [
        ("dept_a", ends_a_grant),
        ("dept_a", ends_a_key),
        ("dept_a", revokes_a_key),
        ("dept_a", closes_a_department),
        ("editor", takes_a_role),
        ("editor", ends_an_account),
    ],
)
def test_whatever_ends_a_right_no_door_remembers_it_a_minute_later(world, callers, monkeypatch, asking, end):
    """Every memory is warm: scopes, tiles of small zooms, tags. Then the minute passes on the clock alone."""
    caller, layer, now = callers[asking], world["own_ground"], timezone.now()
    Layer.objects.filter(pk=layer.pk).update(first_levels={"CityGrid": 5})
    while waiting := behind():
        for one in waiting:
            catch_up(one, by_job=False)
    layermaking.forget_catalogue()
    paths = [one.format(revision=layer.revision) for one in (*KEPT, *REMEMBERED)]
    tags = {path: caller.get(path).headers.get("ETag", '"1"') for path in paths * 2}
    for path in paths:
        assert caller.get(path).status_code in {200, 204}, path
    end(caller, layer, now + timedelta(seconds=60))
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    for path, tag in tags.items():
        for told in ({}, {"if_none_match": tag}):
            answer = caller.get(path, **told)
            assert answer.status_code in {401, 404}, (path, told)
            assert "own_ground-west" not in doors.readable(answer)
