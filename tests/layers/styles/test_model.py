import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.styles.conditions import holds
from layers.styles.model import Fill, Line, Marker, fields_used, rules_of
from layers.styles.reading import read_style
from layers.styles.refusals import StyleRefused
from spatial.validity import Family

ROADS = {
    "fill": "#B9B9B9",
    "stroke": "#b9b9b9",
    "width": 2.0,
    "categories": {"field": "class", "values": {"主干路": {"fill": "#f2b33d", "label_zh": "主干路"}}},
}


def test_the_short_form_is_read_as_the_model_reads_it():
    main, other = rules_of(read_style(ROADS, Family.LINE))

    assert (main.where, main.symbols) == (["==", "class", "主干路"], (Line(color="#f2b33d", width=2.0),))
    assert (other.otherwise, other.symbols) == (True, (Line(color="#b9b9b9", width=2.0),))
    assert fields_used(read_style(ROADS, Family.LINE)) == {"class"}


def test_a_layer_without_a_style_has_one_for_its_geometry():
    (plain,) = rules_of(read_style({}, Family.POLYGON))
    (spot,) = rules_of(read_style({}, Family.POINT))

    assert [type(one) for one in plain.symbols] == [Fill, Line]
    assert [type(one) for one in spot.symbols] == [Marker]


def test_a_class_may_look_otherwise_at_another_scale():
    near = {
        "values": ["主干路"],
        "title_zh": "主干路",
        "max_scale": 60_000,
        "symbols": [{"type": "line", "color": "#000000"}],
    }
    far = {**near, "min_scale": 60_000, "max_scale": None}
    style = {"kind": "categorised", "field": "class", "classes": [near, far], "max_scale": 200_000}
    scales = [(rule.min_scale, rule.max_scale) for rule in rules_of(read_style(style, Family.LINE))]

    assert scales == [(None, 60_000), (60_000, 200_000)]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_intervals_that_meet_leave_no_value_out_and_none_in_two(value):
    style = {
        "kind": "graduated",
        "field": "height",
        "intervals": [
            {"high": 10, "symbols": []},
            {"low": 10, "high": 24.5, "symbols": []},
            {"low": 24.5, "symbols": []},
        ],
    }
    rules = rules_of(read_style(style, Family.POLYGON))

    assert sum(holds(rule.where, {"height": value}) for rule in rules) == 1
    assert not any(holds(rule.where, {}) for rule in rules)


@pytest.mark.parametrize(
    "style",
    [
        {"kind": "single", "symbols": [{"type": "fill", "color": "red"}]},
        {"kind": "single", "symbols": [{"type": "picture", "href": "http://example.com/a.svg"}]},
        {"kind": "single", "symbols": [], "script": "x"},
        {"kind": "rules", "rules": [{"where": ["like", "name", "%"], "symbols": []}]},
        {"kind": "rules", "rules": [{"where": ["==", "name"], "symbols": []}]},
        {"kind": "single", "symbols": [{"type": "line", "color": "#000000", "width": 1e9}]},
        {"kind": "gradient"},
        {"fill": "#12", "width": "wide"},
    ],
)
def test_what_is_no_style_is_refused_with_the_place(style):
    with pytest.raises(StyleRefused) as refused:
        read_style(style, Family.POLYGON)

    assert refused.value.facts["where"]


def test_a_condition_deeper_than_any_style_needs_is_refused():
    deep = ["==", "a", 1]
    for _ in range(20):
        deep = ["not", deep]
    with pytest.raises(StyleRefused):
        read_style({"kind": "rules", "rules": [{"where": deep, "symbols": []}]}, Family.POLYGON)
