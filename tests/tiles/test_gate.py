"""What the gate judges is what is drawn: kinds of pictures, and the one field whose text is written."""

import pytest

from layers import catalogue
from layers.moments import Moment
from layers.rights import Action, operator_scope
from spatial.crs import crs_of
from spatial.numbers import BBox
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, area, grant, square
from tiles import gate
from tiles.drawing.pictures import Part, picture

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

CLASSED = {
    "kind": "categorised",
    "field": "owner",
    "classes": [
        {"values": ["CANARY"], "title_zh": "CANARY", "symbols": [{"type": "fill", "color": "#ff0000"}]}
    ],
}
PLAIN = {"kind": "single", "symbols": [{"type": "fill", "color": "#ff0000"}]}
HERE = area(WEST - 10, NORTH - 10, WEST + 50, NORTH + 50)


@pytest.fixture
def lots():
    """Lots labelled by owner, and the office that asks for them."""
    offices = people.offices()
    rows = [{"code": "A1", "owner": "CANARY", "use": "park", "geometry": square(WEST, NORTH)}]
    layer = layermaking.make_layer("gate_lots", rows, key="code", label_field="owner")
    return layer, offices["transport"], people.program(offices["transport"])


def judged(lots, style, **limits):
    """How the office may be shown the layer in a style."""
    layer, office, caller = lots
    layer.style = style
    layer.save()
    grant(layer, f"department:{office.code}", "view", **limits)
    known = catalogue.current()
    return gate.passed(caller.principal, "gate_lots", "", known)


def drawn(found):
    """The text that Mapnik gets for it."""
    part = Part(gate.whole(found), Moment(), found.style)
    box = BBox(WEST, NORTH, WEST + 100, NORTH + 100)
    return picture([part], crs_of(4547), box, (100, 100), "png32").xml


def column(name):
    return operator_scope("gate_lots", Action.VIEW).layer.by_name[name].column


@pytest.mark.parametrize(
    ("style", "limits", "shown"),
    [
        (PLAIN, {}, gate.Shown.FULL),
        (PLAIN | {"labels": {"field": "use"}}, {"fields": ["code", "use"]}, gate.Shown.FULL),
        (PLAIN, {"fields": ["code", "use"]}, gate.Shown.LIVE),  # labelled by a field that is hidden
        (PLAIN, {"area": HERE, "area_label": "west"}, gate.Shown.LIVE),  # a label may reach into the area
    ],
)
def test_a_picture_is_everybodys_only_where_all_that_it_tells_is_open(lots, style, limits, shown):
    assert judged(lots, style, **limits).shown is shown


def test_no_text_is_written_but_that_of_the_field_that_was_judged(lots):
    xml = drawn(judged(lots, PLAIN | {"labels": {"field": "use"}}, fields=["code", "use"]))

    assert f"[{column('use')}]" in xml
    assert f"[{column('owner')}]" not in xml
    assert f'SELECT r.geom, "{column("use")}" FROM' in xml


def test_a_style_that_speaks_of_a_hidden_field_gives_way_to_the_plain_one(lots):
    found = judged(lots, CLASSED, fields=["code", "use"])

    assert "CANARY" not in drawn(found)
    assert found.style.kind == "single"
