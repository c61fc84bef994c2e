"""Who sees what through which door: generated from the URL conf, so that a door without a row fails."""

import json
import re
from dataclasses import dataclass

import pytest

from layers.actions import delete_layer
from layers.exchange.exports import MEDIA
from layers.models import Layer
from process.models import Job
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
LAYERS = ("open_ground", "own_ground", "column_ground", "area_ground", "sensitive_ground", "gone_ground")
ASKING = ("public", "dept_a", "dept_b", "fields_only", "area_only", "editor", "admin", "nobody")
EVERY = "view,query,download,edit,publish,admin"

ALL, WEST_ONLY, NO_REMARK = "everything", "west", "no remark"
# What each caller sees of each layer, and by which actions; what is not named here does not exist for the caller.
SEES = {
    "open_ground": {
        **dict.fromkeys(ASKING, (ALL, "view,query")),
        "dept_a": (ALL, "view,query,download"),
        "admin": (ALL, EVERY),
    },
    "own_ground": {
        "dept_a": (ALL, "view,query,download"),
        "editor": (ALL, "view,query,edit,publish"),
        "admin": (ALL, EVERY),
    },
    "column_ground": {
        "dept_a": (ALL, "view,query,download"),
        "fields_only": (NO_REMARK, "view,query,download"),
        "admin": (ALL, EVERY),
    },
    "area_ground": {
        "dept_a": (ALL, "view,query,download"),
        "area_only": (WEST_ONLY, "view,query,download"),
        "editor": (WEST_ONLY, "view,query,edit,publish"),
        "admin": (ALL, EVERY),
    },
    "sensitive_ground": {"admin": (ALL, EVERY)},
    "gone_ground": {},
}


@dataclass(frozen=True)
class Door:
    """A door to one layer: the right it needs, and the requests that try it."""

    needs: str
    paths: tuple[str, ...]
    method: str = "GET"
    body: dict | None = None
    shows: bool = False  # whether features themselves come out


ITEMS = "/ogc/collections/{name}/items"
NOTHING_TO_SHOW = {"reason": "matrix", "edits": [{"op": "update", "fid": 999_999, "version": 1}]}
AT_EAST = "/api/identify?x=511923.4567&y=2501200&crs=EPSG:4547&tolerance=1000&layers={name}"
LAYER_DOORS = {
    "GET ogc/collections/<str:name>": Door(
        "view", ("/ogc/collections/{name}", "/ogc/collections/{name}?f=html")
    ),
    "GET ogc/collections/<str:name>/items": Door(
        "query",
        (
            ITEMS,
            f"{ITEMS}?f=html",
            f"{ITEMS}?crs=EPSG:4547",
            f"{ITEMS}?crs=EPSG:3857&as-of=rev:1",
            f"{ITEMS}?bbox=100,10,130,40&limit=10000",
            f"{ITEMS}?amount=40",
            f"{ITEMS}?datetime=../..",
        ),
        shows=True,
    ),
    "GET ogc/collections/<str:name>/items/<str:fid>": Door(
        "query", (f"{ITEMS}/1", f"{ITEMS}/4", f"{ITEMS}/4?f=html", f"{ITEMS}/4?as-of=rev:1", f"{ITEMS}/x")
    ),
    "GET ogc/collections/<str:name>/schema": Door(
        "query", ("/ogc/collections/{name}/schema", "/ogc/collections/{name}/schema?f=html")
    ),
    "GET ogc/collections/<str:name>/queryables": Door("query", ("/ogc/collections/{name}/queryables",)),
    "GET ogc/collections/<str:name>/changes": Door(
        "query",
        ("/ogc/collections/{name}/changes", "/ogc/collections/{name}/changes?since=0&limit=1"),
        shows=True,
    ),
    "GET ogc/collections/<str:name>/tiles": Door("view", ("/ogc/collections/{name}/tiles",)),
    "GET ogc/collections/<str:name>/tiles/<str:grid>": Door(
        "view", ("/ogc/collections/{name}/tiles/CityGrid", "/ogc/collections/{name}/tiles/NoGrid")
    ),
    "GET ogc/collections/<str:name>/tiles/<str:grid>/<str:z>/<str:y>/<str:x>": Door(
        "view",
        ("/ogc/collections/{name}/tiles/CityGrid/5/15/9", "/ogc/collections/{name}/tiles/CityGrid/5/15/12"),
    ),
    "GET tiles/<str:name>/<str:grid>/<str:z>/<str:x>/<str:y>.mvt": Door(
        "view",
        (
            "/tiles/{name}/CityGrid/5/9/15.mvt",
            "/tiles/{name}/CityGrid/5/12/15.mvt",
            "/tiles/{name}/CityGrid/0/0/0.mvt?datetime=2026-01-01",
            "/tiles/{name}/WebMercatorQuad/0/0/0.mvt?as-of=rev:1",
            "/tiles/{name}/NoGrid/0/0/0.mvt",
            "/tiles/{name}/CityGrid/0/0/7.mvt",
            "/tiles/{name}/CityGrid/0/0/0.mvt?v=x",
            "/tiles/{name}/CityGrid/0/0/0.mvt?unknown=1",
        ),
    ),
    "GET catalogue/<str:name>/": Door("view", ("/catalogue/{name}/", "/catalogue/{name}/?lang=en")),
    "GET catalogue/<str:name>/download<str:suffix>": Door(
        "download", tuple(f"/catalogue/{{name}}/download{suffix}" for suffix in (*MEDIA, ".exe")), shows=True
    ),
    "GET api/identify": Door("query", (AT_EAST,)),
    "GET api/layers/<name>/features/<int:fid>/history": Door(
        "query", ("/api/layers/{name}/features/1/history", "/api/layers/{name}/features/4/history")
    ),
    "POST api/layers/<name>/changes": Door("edit", ("/api/layers/{name}/changes",), "POST", NOTHING_TO_SHOW),
    "PATCH api/layers/<name>/features/<int:fid>": Door(
        "edit", ("/api/layers/{name}/features/4",), "PATCH", {}
    ),
    "DELETE api/layers/<name>/features/<int:fid>": Door("edit", ("/api/layers/{name}/features/4",), "DELETE"),
    "POST api/layers/<name>/features/<int:fid>/restore": Door(
        "publish", ("/api/layers/{name}/features/4/restore",), "POST", {"revision": 1}
    ),
    "POST api/layers/<name>/undo": Door("publish", ("/api/layers/{name}/undo",), "POST", {"revision": 99}),
}
# Doors that are about no one layer: the requests that try them.
OTHER_DOORS = {
    "GET ": ("/", "/?lang=en"),
    "GET healthz": ("/healthz",),
    "GET ogc": ("/ogc",),
    "GET ogc/": ("/ogc/", "/ogc/?f=html"),
    "GET ogc/conformance": ("/ogc/conformance", "/ogc/conformance?f=html"),
    "GET ogc/api": ("/ogc/api", "/ogc/api?f=html"),
    "GET ogc/collections": ("/ogc/collections", "/ogc/collections?f=html", "/ogc/collections?f=html&lang=en"),
    "GET ogc/tileMatrixSets": ("/ogc/tileMatrixSets",),
    "GET ogc/tileMatrixSets/<str:grid>": ("/ogc/tileMatrixSets/CityGrid", "/ogc/tileMatrixSets/NoGrid"),
    "GET catalogue/": ("/catalogue/", "/catalogue/?q=ground", "/catalogue/?q=TITLE"),
    "GET api/map": ("/api/map",),
    "GET api/layers": ("/api/layers",),
    "GET api/identify": ("/api/identify?x=511923.4567&y=2501200&tolerance=1000",),
    "GET api/session": ("/api/session",),
    "POST api/login": (),  # tests/accounts/test_views.py
    "POST api/logout": (),
    "GET api/jobs/<job_id>": ("/api/jobs/{job}", "/api/jobs/999999"),
    "POST api/jobs/<job_id>/cancel": (),  # below
    "GET api/docs": ("/api/docs",),
    "GET api/openapi.json": ("/api/openapi.json",),
    "GET api/": ("/api/",),
}
LISTS = {"GET ogc/collections", "GET catalogue/", "GET api/layers", "GET ogc/api"}


@pytest.fixture(scope="module")
def callers(kept) -> dict[str, Caller]:
    offices = people.offices()
    return {
        "public": Caller("public"),
        "dept_a": people.program(offices["transport"]),
        "dept_b": people.program(offices["water"]),
        "fields_only": people.program(offices["planning"]),
        "area_only": people.program(offices["emergency"]),
        "editor": people.person("editor_ed", offices["data"], ["editor"]),
        "admin": people.person("root", offices["city"], clearance="sensitive", is_superuser=True),
        "nobody": people.person("nobody"),
    }


@pytest.fixture(scope="module")
def refused(callers) -> dict[str, Caller]:
    offices = people.offices()
    return {
        "revoked": people.revoked(offices["transport"]),
        "expired": people.expired(offices["transport"]),
        "suspended": people.suspended(offices["city"]),
        "unknown": Caller("unknown", key="omk_" + "x" * 43),
        "malformed": Caller("malformed", key="密钥 \x7f"),
    }


@pytest.fixture(scope="module")
def world(callers) -> dict[str, Layer]:
    """The six layers; every value, title, field name and place says to which layer it belongs."""
    made = {}
    for index, name in enumerate(LAYERS):
        rows = [
            {
                **row,
                f"remark_{name}": row.pop("secret_remark"),
                "geometry": layermaking.square(*corner_of(index, n)),
            }
            for n, row in enumerate(layermaking.ground(name), 1)
        ]
        told = {"title": f"TITLE-{name}", "title_en": f"TITLE-{name} en", "abstract_zh": f"ABSTRACT-{name}"}
        secrecy = {"open_ground": "public", "gone_ground": "public", "sensitive_ground": "sensitive"}
        style = {"categories": {"field": f"remark_{name}", "values": [f"SECRET-{name}-1"]}}
        made[name] = layermaking.make_layer(
            name,
            rows,
            secrecy=secrecy.get(name, "internal"),
            style=style,
            label_field=f"remark_{name}",
            **told,
        )
    give_rights(made)
    delete_layer(made["gone_ground"], by="tests")
    return made


def give_rights(made: dict[str, Layer]) -> None:
    for name in (
        "open_ground",
        "own_ground",
        "column_ground",
        "area_ground",
        "sensitive_ground",
        "gone_ground",
    ):
        grant(made[name], "department:transport", "view,query,download")
    for name in ("open_ground", "sensitive_ground", "gone_ground"):
        grant(made[name], "public", "view,query")
    grant(made["sensitive_ground"], "department:water", "view,query,download")
    grant(made["own_ground"], "role:editor", "view,query,edit,publish")
    grant(made["area_ground"], "role:editor", "view,query,edit,publish", area=area(*WEST_BOX))
    grant(made["area_ground"], "department:emergency", "view,query,download", area=area(*WEST_BOX))
    shown = ["name", "amount", "ratio", "day", "seen", "open"]
    grant(made["column_ground"], "department:planning", "view,query,download", fields=shown)
    grant(made["gone_ground"], "department:city", EVERY)


def corner_of(index: int, number: int) -> tuple[float, float]:
    """Where feature `number` of layer `index` lies: the first three in the west."""
    side = WEST if number <= 3 else layermaking.EAST
    return side + 123.4567 + 300 * number + 17.1234 * index, NORTH + 300 * number + 0.7654 + 23.4321 * index


def marks_of(name: str, sees: str | None) -> set[str]:
    """What must not be found in answers to a caller who sees this much of a layer."""
    index = LAYERS.index(name)
    east = {f"CANARY-{name}-east", *(f"SECRET-{name}-{number}" for number in (4, 5, 6))}
    for number in (4, 5, 6):
        x, y = corner_of(index, number)
        east |= doors.place_marks((x, y, x + 100, y + 100))
    if sees == ALL:
        return set()
    if sees == WEST_ONLY:
        return east
    remark = {f"remark_{name}", f"SECRET-{name}"}
    if sees == NO_REMARK:
        return remark
    return east | remark | {f"TITLE-{name}", f"ABSTRACT-{name}", f"CANARY-{name}"}


def forbidden_to(asking: str) -> set[str]:
    return set().union(*(marks_of(name, SEES[name].get(asking, (None,))[0]) for name in LAYERS))


def twin_of(name: str) -> str:
    """A name no layer ever had, as long as this one."""
    return "never_made_at_all"[: len(name)]


def ask(caller: Caller, door: Door, path: str):
    return caller.ask(door.method, path, json.dumps(door.body) if door.body is not None else None)


def assert_silent(answer, asking: str) -> None:
    text = doors.readable(answer)
    found = sorted(mark for mark in forbidden_to(asking) if mark in text)
    assert not found, (asking, answer.request["PATH_INFO"], found)
    assert not re.search(r"Traceback|psycopg|SQLSTATE|/usr/|relation \"", text)
    assert answer.status_code < 500 or answer.request["PATH_INFO"] == "/healthz"


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
    assert OTHER_DOORS[route] or route.startswith("POST")


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
        answers.add(str(doors.without_identity(answer)))
        assert answer.status_code == 401, (method, path)
    assert len(answers) == 1


def test_a_wrong_key_is_no_better_with_a_session(world, refused, callers):
    answer = callers["admin"].get("/ogc/collections", authorization=f"Bearer {refused['revoked'].key}")
    assert answer.status_code == 401


def test_the_key_is_taken_as_basic_password_too(world, callers):
    import base64

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
