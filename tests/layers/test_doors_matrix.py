"""Who sees what through which door: generated from the URL conf, so that a door without a row fails."""

import base64
import json
import re

import pytest

from layers.models import Layer
from process.models import Job
from tests import doors
from tests.matrix import (
    ASKING,
    LAYER_DOORS,
    LAYERS,
    LISTS,
    OTHER_DOORS,
    SEES,
    ask,
    assert_silent,
    twin_of,
)
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


def test_every_door_has_a_row():
    found = {route for route in doors.routes() if not route.startswith("ANY admin/")}
    assert found == LAYER_DOORS.keys() | OTHER_DOORS.keys()
    assert any(route.startswith("ANY admin/") for route in doors.routes())


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("route", LAYER_DOORS)
def test_a_layer_shows_what_was_granted_and_no_more(world, callers, route, asking):
    door, caller = LAYER_DOORS[route], callers[asking]
    for name in LAYERS:
        sees, actions = SEES[name].get(asking, (None, ""))
        for path in door.paths:
            answer = ask(caller, door, path.format(name=name))
            assert_silent(answer, asking)
            if sees is None:
                missing = ask(caller, door, path.format(name=twin_of(name)))
                assert answer.status_code == 404
                assert doors.without_identity(answer, name) == doors.without_identity(missing, twin_of(name))
            elif door.needs not in actions.split(","):
                assert (answer.status_code, json.loads(body_of(answer))["code"]) == (403, "not-granted")
            else:
                assert answer.status_code != 403
                assert b"layer-not-found" not in body_of(answer)
                if (
                    door.shows
                    and answer.status_code == 200
                    and "limit=1" not in path
                    and "amount" not in path
                ):
                    assert f"CANARY-{name}-west-1" in doors.readable(answer)


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("route", OTHER_DOORS)
def test_no_other_door_tells_of_what_is_hidden(world, callers, route, asking):
    job = Job.objects.order_by("-pk").first()
    for path in OTHER_DOORS[route]:
        answer = callers[asking].get(path.format(job=job.pk))
        assert_silent(answer, asking)
        if route in LISTS and "q=" not in path:
            text = doors.readable(answer)
            seen = {name for name in LAYERS if asking in SEES[name]}
            assert {name for name in LAYERS if f"TITLE-{name}" in text} == seen
    assert OTHER_DOORS[route] or not route.startswith("GET")


@pytest.mark.parametrize("asking", ASKING)
def test_the_lists_are_those_of_a_catalogue_that_never_had_the_hidden(world, callers, asking):
    paths = [path for route in (*LISTS, "GET api/map", "GET ogc/") for path in OTHER_DOORS[route]]
    before = [doors.without_identity(callers[asking].get(path)) for path in paths]
    hidden = [name for name in LAYERS if asking not in SEES[name]]
    Layer.objects.filter(name__in=hidden).delete()
    assert [doors.without_identity(callers[asking].get(path)) for path in paths] == before


@pytest.mark.parametrize("who", ["revoked", "expired", "suspended", "unknown", "malformed"])
def test_a_wrong_key_is_401_at_every_door(world, refused, who):
    tried = [(door.method, path) for door in LAYER_DOORS.values() for path in door.paths]
    tried += [("GET", path.format(job=1, name="")) for paths in OTHER_DOORS.values() for path in paths]
    tried = [(method, path) for method, path in tried if "lang=" not in path]
    tried += [
        ("POST", "/api/login"),
        ("POST", "/api/logout"),
        ("POST", "/api/jobs/1/cancel"),
        ("GET", "/admin/"),
    ]
    answers = set()
    for method, path in tried:
        answer = refused[who].ask(method, path.format(name="open_ground"))
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert answer.status_code == 401, (method, path)
        if not path.startswith("/services/"):  # which say it in their own words
            answers.add(str(doors.without_identity(answer)))
    assert len(answers) == 1


def test_a_wrong_key_is_no_better_with_a_session(world, refused, callers):
    answer = callers["admin"].get("/ogc/collections", authorization=f"Bearer {refused['revoked'].key}")
    assert answer.status_code == 401


def test_the_key_is_taken_as_basic_password_too(world, callers):
    text = base64.b64encode(f"any:{callers['dept_a'].key}".encode()).decode()
    answer = Caller("desktop").get("/ogc/collections/own_ground/items", authorization=f"Basic {text}")
    assert answer.status_code == 200
    assert Caller("desktop").get("/", authorization=f"Basic {text[:-4]}").status_code == 401
    assert Caller("desktop").get("/", authorization="Digest x").status_code == 401


def admin_paths() -> list[str]:
    found = []
    for route in sorted(doors.routes()):
        if route.startswith("ANY admin/"):
            path = re.sub(r"<path:object_id>|<int:content_type_id>|<path:object_id>", "1", route[4:])
            path = re.sub(r"<id>|<[^>]+>", "1", path)
            found.append("/" + re.sub(r"\(\?P1.*$|\^|\$", "", path))
    return found


@pytest.mark.parametrize("asking", ASKING)
def test_the_administration_is_for_administrators(world, callers, asking):
    for path in admin_paths():
        answer = callers[asking].get(path)
        assert answer.status_code < 500
        if asking != "admin":
            assert_silent(answer, asking)
        if asking != "admin" and path not in {"/admin/login/", "/admin/logout/"}:
            assert answer.status_code in {302, 403, 404}, path
            assert answer.headers.get("Location", "/admin/login").startswith("/admin/login")


def test_a_job_is_seen_by_who_asked_for_it_and_by_administrators(world, callers):
    mine = Job.objects.create(kind="import_layer", created_by=callers["editor"].principal.name)
    for asking in ASKING:
        for method, path in (("GET", f"/api/jobs/{mine.pk}"), ("POST", f"/api/jobs/{mine.pk}/cancel")):
            answer = callers[asking].ask(method, path)
            missing = callers[asking].ask(method, path.replace(str(mine.pk), "99999999"))
            if asking in {"editor", "admin"}:
                assert answer.status_code == 200
            else:
                assert doors.without_identity(answer) == doors.without_identity(missing)
                assert answer.status_code == 404
