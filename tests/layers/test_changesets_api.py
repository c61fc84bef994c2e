"""A changeset from its first edit to its publication, by the doors that people and programs use."""

import json

import pytest

from layers.models import Change, ChangesetFeature
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, grant
from tests.people import body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = pytest.mark.django_db
PLANAR = {"content_crs": "<http://www.opengis.net/def/crs/EPSG/0/4547>"}
ITEMS = "/ogc/collections/{}/items"


def ring(x, y, side=100.0):
    """A square as GeoJSON, storage CRS, north first as EPSG:4547 has it."""
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]
    return {"type": "Polygon", "coordinates": [[(north, east) for east, north in corners]]}


@pytest.fixture(scope="module")
def offices(kept):
    return people.offices()


@pytest.fixture(scope="module")
def ming(offices):
    """A planner, who corrects."""
    return people.person("ming", offices["planning"], ["planner"])


@pytest.fixture(scope="module")
def hong(offices):
    """A colleague of the same department."""
    return people.person("hong", offices["planning"], ["planner"])


@pytest.fixture(scope="module")
def gao(offices):
    """Who reviews and publishes."""
    return people.person("gao", offices["data"], ["reviewer"])


@pytest.fixture
def plots(kept, offices, clean_memory):
    """Six plots, which planners edit and reviewers publish."""
    name = f"plots_{Change.objects.count()}"
    layer = layermaking.make_layer(name, layermaking.ground(name))
    grant(layer, "role:planner", "view,query,edit")
    grant(layer, "role:reviewer", "view,query,edit,publish")
    return layer


def send(caller, method, path, body=None, status=200, **headers):
    answer = caller.ask(method, path, json.dumps(body) if body is not None else None, **headers)
    assert answer.status_code == status, (path, answer.status_code, body_of(answer))
    return json.loads(body_of(answer))


def begin(caller, title="更正", **more):
    return send(caller, "POST", "/api/changesets", {"title": title, **more}, 201)["id"]


def put(caller, number, layer, *edits, status=200):
    body = {"layer": layer.name, "edits": list(edits)}
    return send(caller, "POST", f"/api/changesets/{number}/edits", body, status, **PLANAR)


def step(caller, number, name, status=200, **body):
    return send(caller, "POST", f"/api/changesets/{number}/{name}", body, status)


def shown(caller, layer, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    listed = caller.json(f"{ITEMS.format(layer.name)}?limit=100&{words}")["features"]
    return {one["id"]: one["properties"] for one in listed}


def test_from_a_correction_to_the_one_map(ming, gao, plots):
    number = begin(ming)
    done = put(
        ming,
        number,
        plots,
        {"op": "update", "fid": 1, "version": 1, "properties": {"amount": 11}},
        {"op": "delete", "fid": 2, "version": 1},
        {"op": "insert", "geometry": ring(WEST, NORTH - 500), "properties": {"name": "新地块"}},
    )
    new = done["fids"][2]
    assert new > 6
    before, after = shown(ming, plots), shown(ming, plots, changeset=number)
    assert before[1]["amount"] == 10 and 2 in before and new not in before
    assert after[1]["amount"] == 11 and 2 not in after and after[new]["name"] == "新地块"
    step(ming, number, "submit")
    told = gao.json(f"/api/changesets/{number}")
    assert told["steps"] == ["return", "approve"]
    step(gao, number, "approve", counter=told["counter"])
    done = step(gao, number, "publish", counter=told["counter"])
    assert done["state"] == "published"
    assert shown(ming, plots) == after
    change = Change.objects.get(layer=plots, revision=2)
    assert (change.kind, change.inserted, change.updated, change.deleted) == ("changeset", 1, 1, 1)
    assert ChangesetFeature.objects.filter(changeset=number).count() == 3
