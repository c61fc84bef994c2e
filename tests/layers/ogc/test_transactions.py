"""OGC API Features part 4: programs write features into a changeset, with ETags, and never into the one map."""

import json

import pytest

from tests import people
from tests.changesetting import begin, features, put, ring, shown, step, told, update
from tests.layermaking import NORTH, WEST, grant
from tests.people import Caller, body_of, program

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

GRID = "<http://www.opengis.net/def/crs/EPSG/0/4547>"
SHAPE = ring(WEST, NORTH - 500)


def ask(caller, method, path, body=None, kind="application/geo+json", **headers):
    """A request with a body of this media type."""
    sent = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    if caller.key is not None:
        sent["HTTP_AUTHORIZATION"] = f"Bearer {caller.key}"
    text = json.dumps(body) if body is not None else ""
    return caller.client.generic(method, path, text, content_type=kind, **sent)


def code(answer):
    return answer.status_code, json.loads(body_of(answer))["code"]


@pytest.fixture
def items(plots):
    return f"/ogc/collections/{plots.name}/items"


@pytest.fixture
def desk(offices, plots):
    """A program of the planning department that may edit."""
    grant(plots, "department:planning", "view,query,edit")
    return program(offices["planning"], plots.name)


def feature(shape=SHAPE, **properties):
    return {"type": "Feature", "geometry": shape, "properties": properties}


def test_a_program_creates_replaces_updates_and_deletes(desk, items, plots):
    number = begin(desk)
    where = f"?changeset={number}"
    made = ask(desk, "POST", items + where, feature(name="新", amount=7), content_crs=GRID)
    assert made.status_code == 201
    address = made.headers["Location"].removeprefix("http://testserver")
    assert address.endswith(where)
    seen = desk.get(f"{address}&crs=EPSG:4547")
    assert seen.headers["ETag"] == made.headers["ETag"]
    assert json.loads(body_of(seen))["geometry"] == json.loads(json.dumps(SHAPE))
    one = f"{items}/1{where}"
    tag = desk.get(one).headers["ETag"]
    patched = ask(
        desk, "PATCH", one, {"properties": {"amount": 11}}, "application/merge-patch+json", if_match=tag
    )
    assert (patched.status_code, body_of(patched)) == (204, b"")
    assert patched.headers["ETag"] == desk.get(one).headers["ETag"] != tag
    before = features(desk, plots)[1]["properties"]
    assert shown(desk, plots, changeset=number)[1] == {**before, "amount": 11}
    tag = patched.headers["ETag"]
    body = {"type": "Feature", "geometry": SHAPE, "properties": {"name": "换"}}
    replaced = ask(desk, "PUT", one, body, if_match=tag, content_crs=GRID)
    assert replaced.status_code == 204
    expected = {**dict.fromkeys(before), "name": "换"}
    assert shown(desk, plots, changeset=number)[1] == expected
    two = f"{items}/2{where}"
    assert ask(desk, "DELETE", two, if_match=desk.get(two).headers["ETag"]).status_code == 204
    assert desk.get(two).status_code == 404
    assert features(desk, plots).keys() == {1, 2, 3, 4, 5, 6}
    assert features(desk, plots)[1]["properties"] == before
    assert [one["op"] for one in told(desk, number, "/diff")["changes"]] == ["update", "delete", "insert"]


def test_a_write_names_its_changeset_and_the_version_it_saw(desk, items):
    number = begin(desk)
    one = f"{items}/1?changeset={number}"
    assert code(ask(desk, "POST", items, feature())) == (400, "changeset-needed")
    assert code(ask(desk, "DELETE", f"{items}/1", if_match='"1"')) == (400, "changeset-needed")
    assert code(ask(desk, "DELETE", one)) == (428, "version-required")
    assert code(ask(desk, "DELETE", one, if_match="*")) == (400, "bad-if-match")
    assert code(ask(desk, "DELETE", one, if_match='"9"')) == (412, "edit-conflict")
    assert code(ask(desk, "PATCH", one, {"properties": {"amount": 1}}, if_match='"9"')) == (
        415,
        "bad-body-type",
    )
    patch = {"properties": {"amount": 1}}
    told = ask(desk, "PATCH", one, patch, "application/merge-patch+json", if_match='"9"')
    assert code(told) == (412, "edit-conflict")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], (422, "no-feature")),
        ({"type": "Point", "coordinates": [0, 0]}, (422, "no-feature")),
        ({"type": "Feature", "geometry": None, "properties": {}}, (422, "bad-geometry")),
        ({"type": "Feature", "geometry": {"type": "Polygon"}, "properties": {}}, (422, "bad-geometry")),
        (feature(properties=1), (422, "bad-edit")),
        ({**feature(), "properties": []}, (422, "no-feature")),
        (feature(no_such="x"), (422, "bad-edit")),
        (feature(amount="x"), (422, "bad-edit")),
    ],
)
def test_what_is_no_feature_of_the_layer_is_refused_by_name(desk, items, body, expected):
    number = begin(desk)
    assert code(ask(desk, "POST", f"{items}?changeset={number}", body, content_crs=GRID)) == expected


def test_a_body_of_another_kind_is_415_and_broken_json_400(desk, items):
    where = f"{items}?changeset={begin(desk)}"
    assert code(ask(desk, "POST", where, feature(), "text/xml")) == (415, "bad-body-type")
    broken = desk.client.generic(
        "POST", where, "{", content_type="application/geo+json", HTTP_AUTHORIZATION=f"Bearer {desk.key}"
    )
    assert code(broken) == (400, "bad-json")


def test_options_tell_what_the_caller_may(desk, offices, items, plots):
    reader = people.program(offices["water"], plots.name)
    grant(plots, "department:water", "view,query")
    for path, writing in ((items, ["POST"]), (f"{items}/1", ["PUT", "PATCH", "DELETE"])):
        allowed = desk.ask("OPTIONS", path).headers["Allow"].split(", ")
        assert allowed == ["GET", "HEAD", "OPTIONS", *writing]
        assert reader.ask("OPTIONS", path).headers["Allow"] == "GET, HEAD, OPTIONS"
        assert Caller("public").ask("OPTIONS", path).status_code == 404
        assert desk.ask("HEAD", path).status_code == 200
    assert desk.ask("DELETE", items).status_code == 405
    assert "create-replace-delete" in " ".join(desk.json("/ogc/conformance")["conformsTo"])


def test_another_department_s_changeset_is_not_there(desk, wei, items):
    number = begin(desk)
    tried = [
        ask(wei, "POST", f"{items}?changeset={n}", feature(), content_crs=GRID) for n in (number, 99999999)
    ]
    assert {code(one) for one in tried} == {(404, "changeset-not-found")}


def test_under_review_a_program_is_told_409(desk, gao, items, plots):
    number = begin(desk)
    put(desk, number, plots, update(1, amount=2))
    step(desk, number, "submit")
    told = ask(desk, "POST", f"{items}?changeset={number}", feature(name="x"), content_crs=GRID)
    assert code(told) == (409, "changeset-closed")


def test_a_browser_s_write_needs_the_page_s_token(ming, items):
    """Cookies are sent whoever wrote the page."""
    number = begin(ming)
    strict = Caller("ming", user=ming.user, client=type(ming.client)(enforce_csrf_checks=True))
    told = ask(strict, "POST", f"{items}?changeset={number}", feature(), content_crs=GRID)
    assert code(told) == (403, "csrf")
