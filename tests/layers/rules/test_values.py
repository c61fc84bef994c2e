"""A field's values: nothing is guessed, constraints are obeyed."""

import math
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.rules.values import coerced, constrained, fault


def field(kind, **rules):
    found = {"name": "f", "type": kind, "required": False, "minimum": None, "maximum": None}
    return SimpleNamespace(**{**found, "max_length": None, "codes": None, **rules})


@pytest.mark.parametrize(
    ("kind", "given_", "stored"),
    [
        ("text", "0012", "0012"),
        ("integer", 2**62, 2**62),
        ("real", 3, 3.0),
        ("boolean", False, False),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("datetime", "2024-02-29T08:00:00+08:00", datetime(2024, 2, 29, 0, tzinfo=UTC)),
        ("integer", None, None),
    ],
)
def test_values_of_the_right_type(kind, given_, stored):
    assert coerced(field(kind), given_) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 12),
        ("text", "a\x00"),
        ("integer", "12"),
        ("integer", True),
        ("integer", 1.0),
        ("integer", 2**63),
        ("real", "1"),
        ("real", math.nan),
        ("real", math.inf),
        ("boolean", 1),
        ("date", "2023-02-30"),
        ("date", "0000-00-00"),
        ("date", "20230230"),
        ("datetime", "2024-01-01T00:00:00"),
        ("datetime", "today"),
    ],
)
def test_nothing_is_guessed(kind, value):
    with pytest.raises(ValueError):  # noqa: PT011 - the value itself is all there is to say
        coerced(field(kind), value)


@pytest.mark.parametrize(
    ("rules", "value", "word"),
    [
        ({"required": True}, None, "required"),
        ({"required": True}, "", "required"),
        ({"required": True}, 0, None),
        ({"minimum": 1.0}, 0, "below-minimum"),
        ({"minimum": 1.0}, 1, None),
        ({"maximum": 1.0}, 1.5, "above-maximum"),
        ({"max_length": 2}, "深圳市", "too-long"),
        ({"max_length": 3}, "深圳市", None),
        ({"codes": [("A1", "", "")]}, "A2", "not-in-code-list"),
        ({"codes": [("7", "", "")]}, 7, None),
        ({"codes": [("A1", "", "")]}, None, None),
    ],
)
def test_constraints(rules, value, word):
    one = field("text", **rules)
    assert fault(one, value) == word
    assert constrained(one)


def test_a_field_without_constraints_has_none():
    assert not constrained(field("text"))


@given(
    st.integers() | st.floats() | st.text() | st.booleans() | st.none(),
    st.sampled_from(["text", "integer", "real", "boolean", "date", "datetime"]),
)
def test_a_value_is_stored_as_it_is_or_refused(value, kind):
    try:
        stored = coerced(field(kind), value)
    except ValueError:
        return
    if kind in {"text", "integer", "real", "boolean"}:
        assert stored == value
    else:
        assert value is None or stored.isoformat()[:4].isdigit()
