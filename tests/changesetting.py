"""Changesets by the doors that people and programs use: callers with names, plots to edit, and the requests.

A test module that names this file in `pytest_plugins` has the fixtures.
"""

import itertools
import json

import pytest

from tests import layermaking, people
from tests.layermaking import grant
from tests.people import body_of

PLANAR = {"content_crs": "<http://www.opengis.net/def/crs/EPSG/0/4547>"}
_numbers = itertools.count(1)


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


@pytest.fixture(scope="module")
def wei(offices):
    """A planner of another department."""
    return people.person("wei", offices["water"], ["planner"])


@pytest.fixture
def plots(ming, gao, clean_memory):
    """Six plots, which planners edit and reviewers publish."""
    return plots_named(f"plots_{next(_numbers)}")


def plots_named(name, **options):
    """A layer of six plots."""
    layer = layermaking.make_layer(name, layermaking.ground(name), **options)
    grant(layer, "role:planner", "view,query,edit")
    grant(layer, "role:reviewer", "view,query,edit,publish")
    return layer


def send(caller, method, path, body=None, status=200, **headers):
    """A request of the JSON API; its answer."""
    answer = caller.ask(method, path, json.dumps(body) if body is not None else None, **headers)
    assert answer.status_code == status, (path, answer.status_code, body_of(answer))
    return json.loads(body_of(answer))


def begin(caller, title="更正", **more):
    """A new changeset's number."""
    return send(caller, "POST", "/api/changesets", {"title": title, **more}, 201)["id"]


def put(caller, number, layer, *edits, status=200, **more):
    body = {"layer": layer.name, "edits": list(edits), **more}
    return send(caller, "POST", f"/api/changesets/{number}/edits", body, status, **PLANAR)


def step(caller, number, name, status=200, **body):
    return send(caller, "POST", f"/api/changesets/{number}/{name}", body, status)


def told(caller, number, part=""):
    return caller.json(f"/api/changesets/{number}{part}")


def direct(caller, layer, *edits):
    """An edit of the one map itself."""
    body = {"reason": "现场核实", "edits": list(edits)}
    return send(caller, "POST", f"/api/layers/{layer.name}/changes", body, **PLANAR)


def update(fid, version=1, **properties):
    return {"op": "update", "fid": fid, "version": version, "properties": properties}


def delete(fid, version=1):
    return {"op": "delete", "fid": fid, "version": version}


def insert(geometry, **properties):
    return {"op": "insert", "geometry": geometry, "properties": properties}


def features(caller, layer, **query):
    """Every feature as the items door tells it, by fid."""
    words = "".join(f"&{name}={value}" for name, value in query.items())
    listed = caller.json(f"/ogc/collections/{layer.name}/items?limit=100{words}")["features"]
    return {one["id"]: one for one in listed}


def shown(caller, layer, **query):
    """The properties of every feature, by fid."""
    return {fid: one["properties"] for fid, one in features(caller, layer, **query).items()}


def publish(owner, reviewer, number):
    """The whole way from submission to publication."""
    counter = step(owner, number, "submit")["counter"]
    step(reviewer, number, "approve", counter=counter)
    return step(reviewer, number, "publish", counter=counter)
