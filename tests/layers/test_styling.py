"""Styles in versions: a draft is not drawn, what was published comes back, another named style is another picture."""

import json

import pytest

from accounts.principals import PUBLIC
from layers import catalogue
from layers.models import Layer, LayerStyle
from layers.styles.model import Fill
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, square
from tests.people import body_of
from tiles import gate

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

RED = {"kind": "single", "symbols": [{"type": "fill", "color": "#ff0000"}]}
BLUE = {"kind": "single", "symbols": [{"type": "fill", "color": "#0000ff"}]}


@pytest.fixture(scope="module")
def lin(kept):
    """The data manager."""
    return people.person("lin", people.offices()["data"], ["datamanager"])


@pytest.fixture
def lots(lin):
    rows = [{"code": "A1", "geometry": square(WEST, NORTH)}]
    return layermaking.make_layer("styled_lots", rows, key="code", public=True, style=RED)


def told(caller, method, path, body=None, status=200):
    answer = caller.ask(method, f"/api/layers/styled_lots/styles{path}", body and json.dumps(body))
    assert answer.status_code == status, body_of(answer)
    return json.loads(body_of(answer))


def drawn(style=""):
    return gate.passed(PUBLIC, "styled_lots", style, catalogue.current())


def test_a_draft_is_drawn_once_published_and_what_was_drawn_comes_back(lots, lin):
    draft = told(lin, "PUT", "/default", {"document": BLUE, "reason": "夜间图"})
    assert (draft["state"], draft["number"], draft["reason"]) == ("draft", 1, "夜间图")
    assert drawn().style.symbols == (Fill(color="#ff0000"),)

    version = catalogue.version_now()
    assert told(lin, "POST", "/default/publish", {"number": 1})["state"] == "published"
    assert drawn().style.symbols == (Fill(color="#0000ff"),)
    assert catalogue.version_now() > version

    listed = told(lin, "GET", "")["versions"]
    assert [(one["number"], one["state"]) for one in listed] == [(2, "replaced"), (1, "published")]
    assert told(lin, "GET", "/default/2")["document"] == RED
    back = told(lin, "POST", "/default/publish", {"number": 2})
    assert (back["number"], drawn().style.symbols) == (3, (Fill(color="#ff0000"),))
    assert LayerStyle.objects.filter(layer=lots).count() == 3


def test_a_named_style_is_drawn_by_its_name_and_never_out_of_the_default_ones_cache(lots, lin):
    told(lin, "PUT", "/night", {"document": BLUE})
    with pytest.raises(gate.StyleNotFound):
        drawn("night")
    told(lin, "POST", "/night/publish", {"number": 1})

    assert (drawn("night").style.symbols, drawn("night").shown) == ((Fill(color="#0000ff"),), gate.Shown.LIVE)
    assert (drawn().style.symbols, drawn().shown) == ((Fill(color="#ff0000"),), gate.Shown.FULL)
    assert Layer.objects.get(pk=lots.pk).style == RED


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"kind": "single", "symbols": [{"type": "fill", "color": "red"}]}, "symbols"),
        ({"kind": "categorised", "field": "gone", "classes": [{"values": ["1"], "symbols": []}]}, "gone"),
        ({"kind": "single", "symbols": [], "labels": {"field": "gone"}}, "gone"),
    ],
)
def test_a_style_that_cannot_be_drawn_is_refused_with_its_place(lots, lin, document, place):
    refused = told(lin, "PUT", "/default", {"document": document}, status=400)
    assert refused["code"] == "bad-style" and place in refused["detail"]
    assert not LayerStyle.objects.filter(layer=lots).exists()
    assert told(lin, "GET", "/default/1", status=404)["code"] == "style-version-not-found"
