"""The four modes of an import: what is new, what changes, what stays exactly as it is, what ends."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.models import Change, ChangeFeature, Field, Layer
from layers.moments import Moment
from tests.layers.conftest import at, square

START, TURN, LATER = date(2024, 1, 1), date(2025, 1, 1), date(2025, 6, 1)


def on(day, revision=None):
    return Moment(revision, day, day)


def tally(report):
    assert report["status"] == "done", report
    assert report["read"] == sum(report[name] for name in ("inserted", "updated", "unchanged", "rejected"))
    return tuple(report[name] for name in ("inserted", "updated", "unchanged", "removed", "rejected"))


def findings(report, code):
    return [one for one in report["findings"] if one["code"] == code]


def lot(number, floors=None, **values):
    return square(20 * number), {"code": f"A{number}", "floors": floors or number, **values}


def test_append_adds_and_touches_nothing_else(land):
    name = land.lots(3)
    before = land.rows(name, "version", "rev_from", "code")
    assert tally(land.deliver(name, [lot(7), lot(8)], mode="append")) == (2, 0, 0, 0, 0)
    assert land.rows(name, "version", "rev_from", "code") == [*before, (4, 1, 2, "A7"), (5, 1, 2, "A8")]
    land.sound(name)


def test_append_to_a_missing_layer_and_create_of_a_present_one_fail(land):
    name = land.lots(1)
    with pytest.raises(Exception, match="is there already"):
        land.deliver(name, [lot(1)])
    with pytest.raises(Exception, match="create it"):
        land.deliver(land.name_of_layer(), [lot(1)], mode="append")


def test_append_names_the_keys_that_the_layer_has_already(land):
    name = land.lots(3, key="code")
    report = land.deliver(name, [lot(2), lot(9), lot(9)], mode="append")
    assert tally(report) == (1, 0, 0, 0, 2)
    assert [(one["row"], one["value"]) for one in findings(report, "duplicate-key")] == [(1, "A2"), (3, "A9")]
    assert [row[1] for row in land.rows(name, "code")] == ["A1", "A2", "A3", "A9"]


def test_upsert_changes_what_differs_and_adds_what_is_new(land):
    name = land.lots(3, key="code")
    report = land.deliver(name, [lot(1), lot(2, 33), lot(5)], mode="upsert")
    assert tally(report) == (1, 1, 1, 0, 0)
    assert land.rows(name, "version", "rev_from", "code", "floors") == [
        (1, 1, 1, "A1", 1),
        (2, 2, 2, "A2", 33),
        (3, 1, 1, "A3", 3),
        (4, 1, 2, "A5", 5),
    ]
    assert report["written"] == 3
    land.sound(name)


def test_upsert_of_a_missing_layer_creates_it(land):
    name = land.name_of_layer()
    assert tally(land.deliver(name, [lot(1), lot(2)], mode="upsert", key="code")) == (2, 0, 0, 0, 0)
    assert land.state(name).key_field == "code"


def test_replace_by_key_keeps_identity_and_ends_what_is_missing(land):
    name = land.lots(4, key="code")
    report = land.deliver(name, [lot(1), (square(21), {"code": "A2", "floors": 2}), lot(9)], mode="replace")
    assert tally(report) == (1, 1, 1, 2, 0)
    assert land.rows(name, "version", "rev_from", "code") == [
        (1, 1, 1, "A1"),
        (2, 2, 2, "A2"),
        (5, 1, 2, "A9"),
    ]
    assert [row[2] for row in land.rows(name, "version", "code", moment=Moment(1))] == [
        "A1",
        "A2",
        "A3",
        "A4",
    ]
    change = Change.objects.get(layer__name=name, revision=2)
    assert (change.inserted, change.updated, change.deleted) == (1, 1, 2)
    named = ChangeFeature.objects.filter(change=change).order_by("fid").values_list("fid", "op")
    assert list(named) == [(2, "update"), (3, "delete"), (4, "delete"), (5, "insert")]
    land.sound(name)


def test_replace_without_key_pairs_equal_features_one_to_one(land):
    name = land.name_of_layer("twins")
    twin, other = (square(0), {"use": "R2"}), (square(40), {"use": "G1"})
    land.deliver(name, [twin, twin, twin, other])
    assert tally(land.deliver(name, [other, twin, twin, (square(80), {"use": "U1"})], mode="replace")) == (
        1,
        0,
        3,
        1,
        0,
    )
    assert land.rows(name, "version", "rev_from", "use") == [
        (1, 1, 1, "R2"),
        (2, 1, 1, "R2"),
        (4, 1, 1, "G1"),
        (5, 1, 2, "U1"),
    ]
    land.sound(name)


def test_the_same_again_changes_nothing_but_the_revision(land):
    name = land.lots(5, key="code")
    before = land.rows(name, "version", "rev_from", "geom")
    report = land.deliver(name, [lot(n) for n in range(1, 6)], mode="replace")
    assert tally(report) == (0, 0, 5, 0, 0)
    assert land.rows(name, "version", "rev_from", "geom") == before
    assert land.query(f"SELECT count(*) FROM history.{name}") == [(0,)]


def test_a_layer_without_fields_can_be_replaced(land):
    name = land.name_of_layer()
    land.deliver(name, [(square(n * 20), {}) for n in range(3)])
    assert tally(land.deliver(name, [(square(n * 20), {}) for n in range(1, 4)], mode="replace")) == (
        1,
        0,
        2,
        1,
        0,
    )


def test_repeated_and_missing_keys_are_rejected_by_name(land):
    name = land.name_of_layer()
    rows = [lot(1), lot(1, 5), (square(60), {"code": None, "floors": 3}), lot(2)]
    report = land.deliver(name, rows, key="code")
    assert tally(report) == (2, 0, 0, 0, 2)
    assert [(one["row"], one["value"]) for one in findings(report, "duplicate-key")] == [(2, "A1")]
    assert [one["row"] for one in findings(report, "key-missing")] == [3]
    assert [row[1:] for row in land.rows(name, "code", "floors")] == [("A1", 1), ("A2", 2)]
    assert land.state(name).feature_count == 2


def test_a_field_that_is_no_key_of_the_layer_is_refused(land):
    name = land.name_of_layer()
    land.deliver(name, [lot(1, use="R2"), lot(2, use="R2")])
    report = land.deliver(name, [lot(1, use="R2")], mode="upsert", key="use")
    assert (report["status"], report["code"]) == ("failed", "key-ambiguous")
    assert [row[1] for row in land.rows(name, "version")] == [1, 1]


def test_dropped_and_retyped_fields_are_held(land):
    name = land.lots(2)
    report = land.deliver(name, [(square(0), {"code": "A9"})], mode="append")
    assert [(one["code"], one["gone"]) for one in report["held"]] == [("fields-changed", ["floors"])]
    report = land.deliver(name, [(square(0), {"code": "A9", "floors": "三"})], mode="replace")
    assert [(one["code"], one["retyped"]) for one in report["held"]] == [("fields-changed", ["floors"])]
    assert land.state(name).revision == 1


def test_a_new_field_is_added_and_older_features_lack_it(land):
    name = land.lots(2)
    report = land.deliver(name, [lot(5, 用途="住宅")], mode="append")
    assert tally(report) == (1, 0, 0, 0, 0)
    assert [row[1] for row in land.rows(name, "用途")] == [None, None, "住宅"]
    assert list(Field.objects.filter(layer__name=name).values_list("name", flat=True)) == [
        "code",
        "floors",
        "用途",
    ]
    assert land.rows(name, "用途", moment=Moment(1)) == [(1, None), (2, None)]


def test_another_kind_of_geometry_is_refused(land):
    report = land.deliver(land.lots(1), [(at(), {"code": "A1", "floors": 1})], mode="append")
    assert (report["status"], report["code"]) == ("failed", "bad-option")


def test_declared_constraints_hold_for_imports_too(land):
    name = land.lots(1)
    Field.objects.filter(layer__name=name, name="floors").update(maximum=100, required=True)
    report = land.deliver(
        name, [lot(2), lot(3, 200), (square(90), {"code": "A4", "floors": None})], mode="append"
    )
    assert tally(report) == (1, 0, 0, 0, 2)
    assert {(one["code"], one["row"]) for one in report["findings"] if one.get("field") == "floors"} == {
        ("above-maximum", 2),
        ("required", 3),
    }


@pytest.fixture
def statuses(land):
    """Land status valid from 2024 on."""
    name = land.name_of_layer("status")
    report = land.deliver(
        name, [lot(1), lot(2), lot(3)], key="code", valid_time=True, valid_from=START.isoformat()
    )
    assert tally(report) == (3, 0, 0, 0, 0)
    return name


def test_replace_from_a_day_is_a_succession(land, statuses):
    rows = [lot(1), lot(2, 20), lot(4)]
    report = land.deliver(statuses, rows, mode="replace", valid_from=TURN.isoformat())
    assert tally(report) == (1, 1, 1, 1, 0)
    everything = land.rows(statuses, "valid_from", "valid_to", "code", "floors", moment=Moment())
    assert everything == [
        (1, START, None, "A1", 1),
        (2, START, TURN, "A2", 2),
        (2, TURN, None, "A2", 20),
        (3, START, TURN, "A3", 3),
        (4, TURN, None, "A4", 4),
    ]
    assert [row[2] for row in land.rows(statuses, "version", "rev_from", moment=on(START))][0] == 1
    land.sound(statuses)


def test_both_times_alone_and_together(land, statuses):
    land.deliver(statuses, [lot(1), lot(2, 20), lot(4)], mode="replace", valid_from=TURN.isoformat())

    def shown(moment):
        return [row[1:] for row in land.rows(statuses, "code", "floors", moment=moment)]

    old, new = [("A1", 1), ("A2", 2), ("A3", 3)], [("A1", 1), ("A2", 20), ("A4", 4)]
    assert shown(on(LATER)) == new
    assert shown(on(date(2024, 12, 31))) == old
    assert shown(on(LATER, revision=1)) == old
    assert shown(on(LATER, revision=2)) == new
    assert shown(on(date(2023, 12, 31))) == []
    assert shown(on(LATER, revision=0)) == []


def test_the_same_day_again_is_a_correction(land, statuses):
    land.deliver(statuses, [lot(1), lot(2, 20), lot(4)], mode="replace", valid_from=TURN.isoformat())
    report = land.deliver(statuses, [lot(1), lot(2, 21)], mode="replace", valid_from=TURN.isoformat())
    assert tally(report) == (0, 1, 1, 1, 0)
    shown = land.rows(statuses, "valid_from", "valid_to", "floors", moment=Moment())
    assert shown == [(1, START, None, 1), (2, START, TURN, 2), (2, TURN, None, 21), (3, START, TURN, 3)]
    assert [row[1] for row in land.rows(statuses, "floors", moment=on(LATER, 2))] == [1, 20, 4]
    land.sound(statuses)


def test_a_day_for_a_layer_without_valid_time_is_refused(land):
    with pytest.raises(Exception, match="has no valid time"):
        land.deliver(land.lots(1), [lot(1)], mode="replace", valid_from="2025-01-01")


def scattered(count=80, seed=5):
    return np.random.default_rng(seed).uniform(0, 3000, (count, 2))


@pytest.fixture
def control(land):
    """A layer whose positions are trusted."""
    name = land.name_of_layer("control")
    land.deliver(name, [(square(x, y), {"n": 1}) for x, y in scattered()], control=True)
    yield name
    Layer.objects.filter(name=name).update(control=False)


def test_a_shifted_copy_is_suspected_and_taken_when_accepted(land, control):
    rows = [(square(x + 400, y - 206), {"n": 1}) for x, y in scattered()]
    name = land.name_of_layer("shifted")
    report = land.deliver(name, rows)
    assert [one["code"] for one in report["held"]] == ["gcj02-suspected"]
    assert report["held"][0]["shift_m"] == pytest.approx(450, abs=30)
    assert control in report["held"][0]["why"]
    assert not Layer.objects.filter(name=name).exists()
    report = land.deliver(name, rows, accept=("gcj02-suspected",))
    assert tally(report) == (80, 0, 0, 0, 0)
    assert findings(report, "gcj02-suspected")[0]["shift_m"] == pytest.approx(450, abs=30)


def test_a_copy_in_place_is_not_suspected(land, control):
    report = land.deliver(land.name_of_layer(), [(square(x, y), {"n": 1}) for x, y in scattered()])
    assert "no shift" in findings(report, "gcj02")[0]["message"]


def test_a_demonstration_layer_never_judges_positions(land):
    rows = [(square(x, y), {"n": 1}) for x, y in scattered()]
    land.deliver(land.name_of_layer("demo"), rows, control=True, demo=True)
    report = land.deliver(land.name_of_layer(), [(square(x + 400, y), {"n": 1}) for x, y in scattered()])
    assert findings(report, "gcj02")[0]["message"] == "gcj02: not checked"


def test_the_same_file_again_is_noted(land):
    path, name = land.package([lot(1)]), land.name_of_layer()
    assert findings(land.bring(path, name), "same-file") == []
    assert "revision 1" in findings(land.bring(path, name, mode="append"), "same-file")[0]["message"]


def test_a_dry_run_foretells_and_publishes_nothing(land):
    name = land.lots(3, key="code")
    rows = [lot(1), lot(2, 9, 新="x"), lot(2), lot(7)]
    foretold = land.deliver(name, rows, mode="replace", dry_run=True)
    assert tally(foretold) == (1, 1, 1, 1, 1)
    assert (foretold["written"], foretold["would_write"], foretold["revision"]) == (0, 3, None)
    assert (land.state(name).revision, Field.objects.filter(layer__name=name).count()) == (1, 2)
    assert tally(land.deliver(name, rows, mode="replace")) == tally(foretold)


codes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=8)


@given(first=codes, second=codes, mode=st.sampled_from(["append", "upsert", "replace"]), keyed=st.booleans())
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_row_read_is_accounted_for(land, first, second, mode, keyed):
    name, key = land.name_of_layer("any"), "code" if keyed or mode == "upsert" else None
    tally(land.deliver(name, [lot(*one) for one in first], key=key))
    before = {row[0]: row[1:] for row in land.rows(name, "code", "floors", "version", "rev_from")}
    inserted, updated, unchanged, removed, _ = tally(
        land.deliver(name, [lot(*one) for one in second], mode=mode, key=key)
    )
    after = {row[0]: row[1:] for row in land.rows(name, "code", "floors", "version", "rev_from")}
    assert len(set(after) - set(before)) == inserted
    assert len(set(before) - set(after)) == removed
    changed = [fid for fid in set(before) & set(after) if before[fid] != after[fid]]
    assert len(changed) == updated
    assert all(after[fid][3] == 2 and after[fid][2] == before[fid][2] + 1 for fid in changed)
    if mode == "replace":
        assert len(after) == inserted + updated + unchanged
    land.sound(name)
