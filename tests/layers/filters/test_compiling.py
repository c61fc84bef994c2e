"""Filters of any form: the SQL depends on the form alone, no reader fails in another way than by refusing."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.clearance import Clearance
from layers.catalogue import FieldInfo, LayerInfo, ThemeInfo
from layers.filters import check, compiled, cql2_json, cql2_text
from layers.filters.tree import MOST_DEPTH, MOST_NODES, Call, shape_of
from layers.ogc import axes
from layers.rights import Action, FieldScope, Scope
from spatial.crs import CRS84, crs_of
from spatial.errors import Kind, OnemapError
from spatial.validity import Family

TYPES = ("text", "integer", "real", "date", "datetime", "boolean")
PAYLOADS = (
    "1'; DROP TABLE x; --",
    "' OR '1'='1",
    "%(filter_0)s",
    "%s",
    "\\'; SELECT pg_sleep(9); --",
    "{}",
    "$$;--",
    "１ OR 1=1",
)


def field(kind, **more):
    words = {"alias_zh": "", "alias_en": "", "unit": "", "required": False, "codes": None}
    limits = {"minimum": None, "maximum": None, "max_length": None}
    return FieldInfo(f"a_{kind}", f"f_{TYPES.index(kind):03}", kind, **words, **limits, **more)


def scope_of(**facts):
    fields = tuple(field(kind, indexed=kind == "text") for kind in TYPES)
    told = {
        **{"id": 1, "name": "plots", "title_zh": "", "title_en": "", "abstract_zh": "", "abstract_en": ""},
        **{
            "theme": ThemeInfo(1, "base", "", "", 0),
            "department": ("data", "", ""),
            "family": Family.POLYGON,
        },
        **{"secrecy": Clearance.PUBLIC, "valid_time": True, "key_field": "", "label_field": "", "style": {}},
        **{"order": 0, "visible": True, "demo": False, "control": False, "joins": None, "join_field": ""},
        **{"update_days": None, "checks": {}, "fields": fields},
    }
    layer = LayerInfo(**told | facts)
    shown = tuple(FieldScope(one, None) for one in fields)
    return Scope(layer, Action.QUERY, frozenset(Action), shown, None, "digest", 1)


SCOPE = scope_of()


def compile_tree(tree):
    return compiled(check(tree, SCOPE, lambda shape: bytes(str(shape), "ascii")))


def compile_text(text):
    return compile_tree(cql2_text.parse(text))


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40)
TEXT = st.one_of(NAMES, st.sampled_from(PAYLOADS))
VALUES = {
    "text": TEXT.map(lambda value: "'" + value.replace("'", "''") + "'"),
    "integer": st.integers(-(2**63), 2**63 - 1).map(str),
    "real": st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda value: f"{value:.6e}"),
    "date": st.dates().map(lambda day: f"DATE('{day.isoformat()}')"),
    "datetime": st.datetimes(datetime(100, 1, 1), datetime(9000, 1, 1)).map(
        lambda when: f"TIMESTAMP('{when.replace(microsecond=0).isoformat()}Z')"
    ),
    "boolean": st.sampled_from(["TRUE", "false"]),
}
FORMS = (
    "a_{kind} = {one}",
    "a_{kind} <> {one} OR a_{kind} IS NULL",
    "NOT a_{kind} BETWEEN {one} AND {two}",
    "a_{kind} IN ({one},{two})",
    "{one} >= a_{kind} AND S_INTERSECTS(geometry,POINT(1 2))",
)


@given(data=st.data(), kind=st.sampled_from(TYPES), form=st.sampled_from(FORMS))
@settings(max_examples=300, deadline=None)
def test_the_sql_is_the_same_for_any_two_values_of_a_type(data, kind, form):
    found = [
        compile_text(form.format(kind=kind, one=data.draw(VALUES[kind]), two=data.draw(VALUES[kind])))
        for _ in range(2)
    ]
    assert repr(found[0].outside) == repr(found[1].outside)
    assert repr(found[0].inside) == repr(found[1].inside)
    assert set(found[0].params) == set(found[1].params)


@given(TEXT, TEXT)
def test_the_sql_is_the_same_for_any_two_texts_folded_and_matched(one, other):
    plain = [value.translate({ord(mark): "x" for mark in "%_\\"}) for value in (one, other)]
    forms = [
        f"CASEI(a_text) LIKE CASEI('{value.replace(chr(39), chr(39) * 2)}%') AND ACCENTI(a_text)='x'"
        for value in plain
    ]
    assert len({repr(compile_text(form).outside) for form in forms}) == 1


@given(st.lists(st.integers(0, 9), min_size=1, max_size=900))
def test_a_list_is_one_bound_value_however_long(values):
    found = compile_text(f"a_integer IN ({','.join(map(str, values))})")
    assert found.params == {"filter_0": values}
    assert repr(found.outside) == repr(compile_text("a_integer IN (5)").outside)


def test_values_are_bound_as_what_they_are():
    found = compile_text(
        "a_text='it''s' AND a_integer=-7 AND a_real>1.5 AND a_date=DATE('2026-01-31')"
        " AND a_datetime<TIMESTAMP('2026-01-31T08:00:00+08:00') AND a_boolean=TRUE"
    )
    day, instant = date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)
    # The first text twice: the index holds the beginning of a text.
    assert list(found.params.values()) == ["it's", "it's", -7, 1.5, day, instant, True]


def test_conditions_on_the_geometry_alone_go_inside():
    found = compile_text(
        "S_WITHIN(geometry,BBOX(1,2,3,4)) AND (NOT S_TOUCHES(POINT(1 2),geometry) AND a_integer=1)"
        " AND (a_boolean OR S_INTERSECTS(geometry,POINT(1 2)))"
    )
    inside, outside = repr(found.inside), repr(found.outside)
    assert inside.count("ST_") >= 2 and "f_00" not in inside and "Identifier('geom')" in inside
    assert "f_001" in outside and "ST_Intersects" in outside and "Identifier('r', 'geom')" in outside
    assert compile_text("a_integer=1").inside is None
    assert compile_text("S_WITHIN(geometry,BBOX(1,2,3,4))").outside is None


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_filter_or_refused(text):
    refused_or_right(lambda: compile_text(text))


WORDS = st.sampled_from(
    [
        "a_text",
        "a_integer",
        "a_date",
        "geometry",
        "valid_from",
        "=",
        "<",
        "AND",
        "OR",
        "NOT",
        "LIKE",
        "IN",
        "IS",
    ]
    + ["NULL", "BETWEEN", "(", ")", ",", "'x'", "'%'", "5", "-1.5e3", "TRUE", "DATE('2026-01-01')", "'..'"]
    + ["INTERVAL('2026-01-01','..')", "POINT(1 2)", "BBOX(1,2,3,4)", "S_INTERSECTS(", "T_DURING(", "CASEI("]
    + [
        "ACCENTI(",
        "POLYGON((0 0,1 0,1 1,0 0))",
        "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))",
        '"a_text"',
    ]
)


@given(st.lists(WORDS, max_size=12))
@settings(max_examples=400, deadline=None)
def test_any_words_of_the_language_are_a_filter_or_refused(words):
    refused_or_right(lambda: compile_text(" ".join(words)))


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.sampled_from([{"property": f"a_{kind}"} for kind in TYPES] + [{"property": "geometry"}]),
    st.sampled_from(
        [
            {"date": "2026-01-01"},
            {"timestamp": "2026-01-01T00:00:00Z"},
            {"interval": ["..", "2026-01-01"]},
            {"bbox": [1, 2, 3, 4]},
            {"type": "Point", "coordinates": [1, 2]},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        ]
    ),
)
OPS = st.sampled_from(
    ["and", "or", "not", "=", "<", "like", "between", "in", "isNull", "casei", "accenti"]
    + ["s_within", "s_equals", "t_after", "t_meets", "+", "a_contains"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda op, args: {"op": op, "args": args}, OPS, st.lists(inner, max_size=4)),
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=2),
    ),
    max_leaves=20,
)


@given(TREES)
@settings(max_examples=400, deadline=None)
def test_any_json_is_a_filter_or_refused(tree):
    refused_or_right(lambda: compile_tree(cql2_json.parse(json.dumps(tree))))


def refused_or_right(make):
    try:
        condition = make()
    except OnemapError as refusal:
        assert refusal.kind is Kind.INVALID
        assert refusal.text("zh") and refusal.text("en")
    else:
        assert condition.inside is not None or condition.outside is not None


def test_a_tree_is_never_deeper_or_larger_than_its_limits():
    node = cql2_text.parse("a_boolean")
    for _ in range(MOST_DEPTH):
        node = Call("not", (node,), "1")
    with pytest.raises(OnemapError, match="32 levels"):
        Call("not", (node,), "1")
    many = tuple(cql2_text.parse("a_integer=1") for _ in range(MOST_NODES // 3))
    Call("or", many, "1")
    with pytest.raises(OnemapError, match="5000 parts"):
        Call("or", (*many, *many[:2]), "1")


SAME = [
    (
        "a_integer=1 AND NOT a_text LIKE 'x%'",
        {
            "op": "and",
            "args": [
                {"op": "=", "args": [{"property": "a_integer"}, 1]},
                {"op": "not", "args": [{"op": "like", "args": [{"property": "a_text"}, "x%"]}]},
            ],
        },
    ),
    (
        "T_AFTER(a_date,INTERVAL('..','2026-01-31'))",
        {"op": "t_after", "args": [{"property": "a_date"}, {"interval": ["..", "2026-01-31"]}]},
    ),
    (
        "S_EQUALS(geometry,LINESTRING(0 0,1 1))",
        {
            "op": "s_equals",
            "args": [
                {"property": "geometry"},
                json.loads(shapely.to_geojson(shapely.LineString([(0, 0), (1, 1)]))),
            ],
        },
    ),
]


@pytest.mark.parametrize(("text", "tree"), SAME, ids=[text for text, _ in SAME])
def test_both_languages_make_one_condition(text, tree):
    one, other = compile_text(text), compile_tree(cql2_json.parse(json.dumps(tree)))
    assert (repr(one), one.params) == (repr(other), other.params)


HOLLOW = [
    {"type": "GeometryCollection", "geometries": []},
    {"type": "Polygon", "coordinates": []},
    {"type": "MultiPoint", "coordinates": []},
    {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [1, 2]}, {"type": "LineString", "coordinates": []}],
    },
    {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]], []]},
    {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], []]},
    {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}]}
        ],
    },
]


@pytest.mark.parametrize("literal", HOLLOW, ids=str)
def test_geometries_with_empty_parts_are_refused(literal):
    with pytest.raises(OnemapError) as refusal:
        cql2_json.parse(json.dumps({"op": "s_intersects", "args": [{"property": "geometry"}, literal]}))
    assert refusal.value.code == "filter-syntax"


COORDINATES = st.tuples(
    st.one_of(st.floats(-400, 400), st.sampled_from([0.0, 114.1, -180.0, 180.0, 1e9, -1e9])),
    st.one_of(st.floats(-400, 400), st.sampled_from([0.0, 22.5, -90.0, 90.0, 1e9])),
)
LINES = st.lists(COORDINATES, min_size=2, max_size=5).map(shapely.LineString)
SINGLES = st.one_of(
    COORDINATES.map(shapely.Point),
    LINES,
    st.tuples(COORDINATES, st.floats(1e-9, 300)).map(lambda one: shapely.Point(one[0]).buffer(one[1])),
)
LITERALS = st.one_of(
    SINGLES,
    st.lists(COORDINATES, min_size=1, max_size=4).map(shapely.MultiPoint),
    st.lists(LINES, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.lists(SINGLES, min_size=1, max_size=4).map(shapely.GeometryCollection),
)


@given(LITERALS, st.sampled_from([CRS84, *map(crs_of, axes.OUTPUT)]))
@settings(max_examples=400, deadline=None)
def test_any_literal_comes_into_the_storage_crs(literal, crs):
    """However far away or bent: valid, of its own kind or empty, and never a collection of its making."""
    try:
        shape = shape_of(literal, "1").value
    except OnemapError:
        return
    moved = shapely.from_wkb(axes.literal_to_storage(shape, crs))
    assert shapely.is_valid(moved)
    if shape.geom_type != "GeometryCollection" and not moved.is_empty:
        assert shapely.get_dimensions(moved) == shapely.get_dimensions(shape)
        assert moved.geom_type != "GeometryCollection"
    assert np.isfinite(shapely.get_coordinates(moved)).all()
