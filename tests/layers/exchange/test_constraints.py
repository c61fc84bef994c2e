"""Whole columns are judged as single values are."""

import math
import time
from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.exchange.constraints import column_faults
from layers.rules.values import fault

KINDS = {
    "text": (pa.string(), st.text(alphabet="AB01é中", max_size=4)),
    "integer": (pa.int64(), st.integers(-5, 5)),
    "real": (pa.float64(), st.floats(-5, 5) | st.sampled_from([math.nan, math.inf])),
    "boolean": (pa.bool_(), st.booleans()),
    "date": (pa.date32(), st.dates(date(2026, 1, 1), date(2026, 1, 3))),
}


def rule(kind, **limits):
    found = {"name": "f", "type": kind, "required": False, "minimum": None, "maximum": None}
    return SimpleNamespace(**{**found, "max_length": None, "codes": None, **limits})


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    arrow, values = KINDS[kind]
    limits = {"required": draw(st.booleans())}
    if kind in {"integer", "real"}:
        limits |= {
            "minimum": draw(st.none() | st.integers(-3, 0)),
            "maximum": draw(st.none() | st.integers(0, 3)),
        }
    if kind == "text":
        limits["max_length"] = draw(st.none() | st.integers(0, 3))
    if kind in {"text", "integer"}:
        codes = draw(st.none() | st.sets(st.sampled_from(["A", "0", "1", "中", "-2", "AB"])))
        limits["codes"] = None if codes is None else [(code, code, code) for code in codes]
    given_ = draw(st.lists(st.none() | values, max_size=12))
    return rule(kind, **limits), pa.chunked_array([pa.array(given_, arrow)])


@given(columns())
def test_a_column_is_judged_as_its_values_are(drawn):
    one, column = drawn
    assert column_faults(one, column).tolist() == [fault(one, value) for value in column.to_pylist()]


def test_a_text_field_judges_what_it_will_hold():
    numbers = pa.chunked_array([pa.array([1, 12, None])])
    one = rule("text", max_length=1, codes=[("1", "", ""), ("12", "", "")], required=True)
    assert column_faults(one, numbers).tolist() == [None, "too-long", "required"]


@pytest.mark.parametrize("chunks", [1, 7])
def test_half_a_million_codes_take_no_time(chunks):
    codes = [(f"{number:04d}", "", "") for number in range(300)]
    values = np.array([code for code, _, _ in codes] + ["X9"])[np.arange(480_000) % 301]
    column = pa.chunked_array([pa.array(part) for part in np.array_split(values, chunks)])
    began = time.process_time()
    words = column_faults(rule("text", codes=codes, required=True, max_length=6), column)
    assert (words == "not-in-code-list").sum() == (values == "X9").sum()
    assert time.process_time() - began < 2.0
