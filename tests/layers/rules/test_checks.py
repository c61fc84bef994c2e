"""Each check names the rows at fault, and none that is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.rules.checks import (
    AreaRule,
    as_key,
    forms,
    names_of_codes,
    stated_areas,
    total_of,
    totals_by_group,
    unique,
    without_partner,
)


def rows(findings):
    return [(one.code, one.rows) for one in findings]


def test_the_later_row_of_a_repeated_key_is_at_fault():
    found = list(unique({"k": ["a", "b", "a", None, " ", "a"]}, ["k"]))
    assert rows(found) == [
        ("duplicate-key", (2, 0)),
        ("key-missing", (3,)),
        ("key-missing", (4,)),
        ("duplicate-key", (5, 0)),
    ]
    assert found[0].facts == {"field": "k", "value": "a"}


def test_a_key_of_two_fields_is_unique_as_a_whole():
    columns = {"unit": ["1", "1", "2", "1"], "no": [1, 2, 1, 1.0]}
    assert rows(unique(columns, ["unit", "no"])) == [("duplicate-key", (3, 0))]


@given(st.lists(st.integers(0, 30)))
def test_as_many_rows_repeat_a_key_as_there_are_too_many(values):
    assert len(list(unique({"k": values}, ["k"]))) == len(values) - len(set(values))


def test_numbers_and_texts_of_two_sources_are_one_key():
    assert {as_key(one) for one in (7, 7.0, "7", " 7 ")} == {"7"}
    assert [as_key(one) for one in (None, "", "  ")] == [None, None, None]


def test_a_name_is_that_of_its_code_in_either_language():
    known = {"0101": ("水田", "Paddy field"), "0201": ("果园",)}
    codes, names = (
        ["0101", "0101", "0101", "0201", "9999", "0201"],
        ["水田", "Paddy field", "旱地", None, "?", "果园"],
    )
    found = list(names_of_codes(codes, names, known, ("DLBM", "DLMC")))
    assert rows(found) == [("name-mismatch", (2,)), ("name-mismatch", (3,))]
    assert found[1].facts == {"field": "DLMC", "code": "0201", "value": None, "expected": "果园"}


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        # The examples of the handbook's chapter on codes.
        (
            "parcel_code",
            ["440304001002GB00012", "440304001002JC00001", "440304001002ZW99999"],
            [
                "440304001002GB0012",
                "440304001002XB00012",
                "440304001002GI00012",
                "44030400100２GB00012",
                "440304001002GB00012\n",
                "440304001002gb00012",
            ],
        ),
        (
            "unit_code",
            ["440304001002GB00012F00010005", "440304001002GB00012W00000000"],
            ["440304001002GB00012W00000001", "440304001002GB00012", "440304001002GB00012X00010005"],
        ),
        ("division12", ["440304001001"], ["440304", "44030400100A", "040304001001"]),
    ],
)
def test_codes_have_the_form_of_their_kind(form, right, wrong):
    values = [*right, *wrong, None, ""]
    expected = [("code-form", (len(right) + place,)) for place in range(len(wrong))]
    assert rows(forms(values, "CODE", form)) == expected


@pytest.mark.parametrize(
    ("true", "stated", "right"),
    [
        (500.0, 501.0, True),  # 1 m² is the larger limit below 1,000 m²
        (500.0, 501.001, False),
        (500.0, 498.999, False),
        (100_000.0, 100_100.0, True),  # 0.1 % above it
        (100_000.0, 100_100.1, False),
        (500.0, None, False),
    ],
)
def test_an_area_may_be_off_by_the_larger_limit(true, stated, right):
    found = list(stated_areas([stated], np.array([true]), AreaRule("TBMJ")))
    assert (found == []) is right


def test_a_shape_without_area_agrees_with_none():
    assert rows(stated_areas([5.0], np.array([np.nan]), AreaRule("TBMJ"))) == [("area-mismatch", (0,))]


def test_groups_are_compared_with_their_control_totals():
    found = list(
        totals_by_group(
            [1.0, 2.0, 5.0, None], ["a", "a", "b", "c"], {"a": 3.0, "b": 7.0, "d": 4.0}, "MJ", 0.5
        )
    )
    assert rows(found) == [("sum-mismatch", (2,)), ("sum-no-control", (3,)), ("sum-mismatch", ())]
    assert found[0].facts["difference"] == -2.0
    assert found[2].facts["group"] == "d"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1e6, 1e6))), st.floats(0.01, 10))
def test_sums_that_are_the_totals_are_no_finding(pairs, tolerance):
    totals: dict[str, float] = {}
    for group, value in pairs:
        totals[group] = totals.get(group, 0.0) + value
    groups, values = [group for group, _ in pairs], [value for _, value in pairs]
    assert list(totals_by_group(values, groups, totals, "MJ", tolerance)) == []
    off = {group: total + 2 * tolerance for group, total in totals.items()}
    assert len(list(totals_by_group(values, groups, off, "MJ", tolerance))) == len(totals)
    assert len(list(total_of(values, sum(values) + 2 * tolerance, "MJ", tolerance))) == 1
    assert list(total_of(values, sum(values), "MJ", tolerance)) == []


def test_rows_without_a_counterpart_are_told_by_what_they_are():
    found = list(without_partner(["1", 2, None], {"2"}, "BSM", ("feature", "QSB")))
    assert rows(found) == [("feature-without-partner", (0,)), ("feature-without-partner", (2,))]
    assert [one.code for one in without_partner(["1"], {"2"}, "BSM", ("table-row", "DLTB"))] == [
        "table-row-without-partner"
    ]
