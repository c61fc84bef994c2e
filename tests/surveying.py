"""A surveyed layer, another with valid time, and how the tests of OGC API Features read answers."""

import json
from datetime import UTC, date, datetime
from functools import cache
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyproj
import pytest
import shapely

from layers.actions import FeatureEdit, edit_features
from layers.rights import Action, operator_scope
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, square
from tests.people import Caller, body_of

ITEMS = "/ogc/collections/survey/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
# Of each system: the URI, the code pyproj knows it by, and whether the authority puts north (latitude) first.
SYSTEMS = {
    "crs84": (CRS84, 4326, False),
    "4326": (f"{EPSG}4326", 4326, True),
    "4490": (f"{EPSG}4490", 4490, True),
    "3857": (f"{EPSG}3857", 3857, False),
    "4547": (f"{EPSG}4547", 4547, True),
}
COUNT = 25


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def squares():
    """The squares in the storage CRS, 400 m apart, by fid."""
    return {
        number: square(WEST + 400.1234 * number, NORTH + 0.5678 + 10 * number)
        for number in range(1, COUNT + 1)
    }


@pytest.fixture(scope="module")
def survey(public, squares):
    """25 squares in a row, west to east."""
    rows = [
        {
            "name": "朝阳" if number % 5 == 0 else f"lot {number}",
            "amount": number * 10,
            "ratio": number / 4,
            "day": date(2026, 1, number),
            "seen": datetime(2026, 1, number, 12, tzinfo=UTC),
            "open": number % 2 == 0,
            "limit": f"reserved {number}",
            "items": "a field with an awkward name",
            "values": None,
            "geometry": shape,
        }
        for number, shape in squares.items()
    ]
    return layermaking.make_layer("survey", rows, public=True)


@pytest.fixture(scope="module")
def dated(public):
    """Features with valid time."""
    rows = [{"name": f"p{n}", "geometry": square(WEST + 500 * n, NORTH)} for n in range(1, 4)]
    return layermaking.make_layer("dated", rows, public=True, valid_time=True, valid_from="2020-01-01")


def edited(layer: str, *edits: FeatureEdit) -> int:
    """Write one change; the fid of its first feature."""
    return edit_features(operator_scope(layer, Action.EDIT), edits, author="tests", reason="tests").fids[0]


@cache
def way_to(srid: int, north_first: bool):
    """From the storage CRS, in the authority's own axis order; finding one takes long."""
    return pyproj.Transformer.from_crs(4547, srid, always_xy=not north_first)


def in_system(shape, srid: int, north_first: bool):
    """Ground truth: pyproj in the authority's own axis order, nothing of the platform's."""
    move = way_to(srid, north_first)

    def moved(xy):
        given = (xy[:, 1], xy[:, 0]) if north_first else (xy[:, 0], xy[:, 1])
        return np.column_stack(move.transform(*given))

    return shapely.transform(shape, moved)


def fids(document) -> list[int]:
    return [feature["id"] for feature in document["features"]]


def assert_refused(caller, path, status, code=None):
    answer = caller.get(path)
    assert answer.status_code == status, (path, body_of(answer)[:300])
    problem = json.loads(body_of(answer))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert code is None or problem["code"] == code
    return problem


def next_of(document) -> str | None:
    found = [link["href"] for link in document["links"] if link["rel"] == "next"]
    return found[0].removeprefix("http://testserver") if found else None


def walk(caller, path: str, between=lambda: None) -> list[dict]:
    features = []
    while path is not None:
        document = caller.json(path)
        features += document["features"]
        path = next_of(document)
        between()
    return features


def token_of(path: str) -> str:
    return parse_qs(urlsplit(path).query)["next"][0]
