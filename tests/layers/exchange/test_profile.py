"""A profile is refused in words that say where and what; sources find the parts they are."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from layers.exchange.deliveries.profile import BadProfile, PartAmbiguous, judge_document, plan_parts, schema
from tests.faults import PROFILE

PART = {"source": "DLTB", "layer": "landuse"}


def document(**part):
    return {"version": 1, "parts": [{**PART, **part}]}


def refused(given):
    with pytest.raises(BadProfile) as refusal:
        judge_document(given)
    return refusal.value


def test_the_schema_is_one_and_describes_every_word_of_a_part():
    Draft202012Validator.check_schema(schema())
    for name, word in schema()["$defs"]["part"]["properties"].items():
        told = word.get("description") or schema()["$defs"][word["$ref"].split("/")[-1]].get(
            "description", ""
        )
        assert "。 " in told, name


def test_the_survey_and_every_declared_check_is_a_profile():
    assert judge_document(PROFILE) is None  # it refuses what is none
    judge_document(
        document(
            key="BSM",
            fields={"DLBM": {"alias_zh": "地类编码", "required": True, "code_list": "landuse-sd@2020"}},
            checks={
                "unique": ["BSM", ["ZLDWDM", "TBBH"]],
                "partition": {
                    "within": "division_district",
                    "where": {"code": ["440304"]},
                    "tolerance_m": 0.01,
                },
                "area": {"field": "TBMJ", "method": "ellipsoid", "absolute_m2": 1.0, "relative": 0.001},
                "sums": [{"field": "TBMJ", "total": 123.0, "tolerance": 1.0, "table": None}],
                "name_of": [{"code": "DLBM", "name": "DLMC"}],
                "forms": {"ZDDM": "parcel_code"},
            },
        )
    )


@pytest.mark.parametrize(
    ("given", "at", "words"),
    [
        ({"version": 1}, "(document)", "add parts"),
        ({"version": 2, "parts": [PART]}, "version", "should be 1"),
        ({"version": 1, "parts": [{"source": "A"}]}, "parts[0]", "add layer"),
        (document(layr="x"), "parts[0]", "did you mean layer?"),
        (document(layer="Land Use"), "parts[0].layer", "A small letter"),
        (document(kind="picture"), "parts[0].kind", "none of layer, table, raster"),
        (document(required="yes"), "parts[0].required", "should be: boolean"),
        (document(joins="parcel"), "parts[0]", "joins needs join_field"),
        (document(checks={"partition": {"tolerance_m": 0}}), "parts[0].checks.partition.tolerance_m", "circle"),
        (document(checks={"forms": {"A": "(a+)+$"}}), "parts[0].checks.forms.A", "none of parcel_code"),
        (document(checks={"sums": [{"field": "A"}]}), "parts[0].checks.sums[0]", "either total, or table and by"),
        (document(checks={"matches": {"part": "part:QSB", "field": "A"}}), "parts[0].checks.matches[0].part", "QSB"),
        ({"version": 1, "parts": [PART, {**PART, "source": "B"}]}, "parts[1].layer", "parts[0] already"),
        ([], "(document)", "should be: object"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(given, at, words):
    error = refused(given)
    first = next(one for one in error.facts["faults"] if one["at"] == at)
    assert words in first["reason"]
    assert first["reason_zh"]
    assert error.text("zh")
    json.dumps(error.facts)


def test_all_faults_are_told_at_once():
    error = refused({"version": 3, "parts": [{"source": "A"}, {"layer": "b"}]})
    assert [one["at"] for one in error.facts["faults"]] == ["parts[0]", "parts[1]", "version"]
    assert error.facts["more"] == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(place=st.sampled_from(["parts", "department", "answers", "mode"]), value=json_values)
def test_any_json_is_a_profile_or_refused(place, value):
    made = copy.deepcopy(PROFILE) | {place: value}
    try:
        judge_document(made)
    except BadProfile as error:
        assert error.facts["faults"]
    else:
        assert Draft202012Validator(schema()).is_valid(made)


def planned(parts, sources, **more):
    found = plan_parts({"version": 1, "parts": parts, **more}, sources)
    return (
        [(one.index, one.document["layer"]) for one in found.parts],
        found.missing_required,
        found.unclaimed,
    )


def test_sources_find_their_parts_whatever_the_case():
    parts = [
        {"source": "DLTB", "layer": "landuse"},
        {"source": "XZQ*", "layer": "district"},
        {"source": "KZMJ", "layer": "control", "kind": "table"},
        {"source": "DEM", "layer": "dem", "kind": "raster"},
        {"source": "PDT", "layer": "slope", "required": False},
    ]
    sources = [
        ("dltb", "layer"),
        ("notes", "table"),
        ("xzq_2026", "layer"),
        ("KZMJ", "layer"),
        ("Dem", "raster"),
    ]
    assert planned(parts, sources) == (
        [(0, "landuse"), (2, "district"), (4, "dem")],
        ["KZMJ"],  # what came under its name is no table
        ["notes", "KZMJ"],
    )


def test_the_very_name_goes_before_the_pattern():
    parts = [{"source": "DLTB*", "layer": "landuse"}]
    assert planned(parts, [("DLTB*", "layer"), ("DLTB_OLD", "layer")])[0] == [(0, "landuse")]


def test_several_sources_for_one_part_are_refused_unless_they_are_appended():
    parts, sources = [{"source": "DLTB_*", "layer": "landuse"}], [("DLTB_1", "layer"), ("DLTB_2", "layer")]
    with pytest.raises(PartAmbiguous) as refusal:
        planned(parts, sources)
    assert refusal.value.facts == {"source": "DLTB_*", "names": "DLTB_1, DLTB_2"}
    assert planned(parts, sources, mode="append")[0] == [(0, "landuse"), (1, "landuse")]
