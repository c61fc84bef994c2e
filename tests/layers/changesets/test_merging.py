"""The three-way merge against a plain one, on versions made at random."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from layers.changesets.merging import (
    EXISTENCE,
    GEOMETRY,
    PERIOD,
    Choice,
    Version,
    changed_parts,
    merge,
    with_part,
)

COLUMNS = ("f_001", "f_002", "f_003")
values = st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["甲", "乙"]))
versions = st.builds(
    Version,
    st.sampled_from([None, b"one", b"two", b"three"]),
    st.sampled_from([None, date(2026, 1, 1), date(2027, 1, 1)]),
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, values)),
)
maybe = st.one_of(st.none(), versions)
takes = st.sampled_from(["ours", "theirs"])


def parts(version):
    return {GEOMETRY: version.geometry, PERIOD: version.valid_to, **version.values}


def plain(base, ours, theirs):
    """The same, as one would write it down: what each side changed, and where both changed differently."""
    was, here, there = parts(base), parts(ours), parts(theirs)
    merged = {name: there[name] if here[name] == was[name] else here[name] for name in was}
    both = {name for name in was if was[name] != here[name] != there[name] != was[name]}
    return merged, both


@given(versions, versions, versions)
def test_changes_merge_and_what_contradicts_is_named(base, ours, theirs):
    merged = merge(base, ours, theirs)
    expected, both = plain(base, ours, theirs)
    if ours != base and theirs != base:
        assert {one.part for one in merged.conflicts} == both
        for one in merged.conflicts:
            sides = (parts(base)[one.part], parts(ours)[one.part], parts(theirs)[one.part])
            assert (one.base, one.ours, one.theirs) == sides
    assert parts(merged.result) == expected


@given(maybe, maybe, maybe)
def test_no_change_is_lost_without_a_name(base, ours, theirs):
    """What either side changed is in the result, or in a conflict."""
    merged = merge(base, ours, theirs)
    if merged.conflicts:
        return
    for side, other in ((ours, theirs), (theirs, ours)):
        if side != base and merged.result != side:
            assert side is not None and other is not None and merged.result is not None and base is not None
            for part in changed_parts(base, side):
                assert parts(merged.result)[part] == parts(side)[part]


@given(maybe, maybe, maybe)
def test_the_merge_has_no_side(base, ours, theirs):
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert bool(one.conflicts) == bool(other.conflicts)
    if not one.conflicts:
        assert one.result == other.result


@given(versions, versions, versions, st.dictionaries(st.sampled_from([GEOMETRY, PERIOD, *COLUMNS]), takes))
def test_a_choice_settles_what_it_names_and_nothing_else(base, ours, theirs, taken):
    first = merge(base, ours, theirs)
    second = merge(base, ours, theirs, {part: Choice(take) for part, take in taken.items()})
    named = {one.part for one in first.conflicts}
    assert {one.part for one in second.conflicts} == named - taken.keys()
    for part in named & taken.keys():
        side = ours if taken[part] == "ours" else theirs
        assert parts(second.result)[part] == parts(side)[part]
    for part in parts(base).keys() - named:
        assert parts(second.result)[part] == parts(first.result)[part]


@given(versions, versions, st.sampled_from(["ours", "theirs"]))
def test_of_a_feature_gone_on_one_side_somebody_decides(base, changed, take):
    for ours, theirs in ((None, changed), (changed, None)):
        merged = merge(base, ours, theirs)
        if changed == base:
            assert (merged.result, merged.conflicts) == (None, ())
            continue
        assert [one.part for one in merged.conflicts] == [EXISTENCE]
        settled = merge(base, ours, theirs, {EXISTENCE: Choice(take)})
        assert (settled.result, settled.conflicts) == (ours if take == "ours" else theirs, ())


@given(versions, versions)
def test_the_same_change_twice_is_no_conflict(base, changed):
    assert merge(base, changed, changed) == merge(base, changed, base)
    assert not merge(base, changed, changed).conflicts


@given(versions, values)
def test_a_third_value_takes_the_place_of_both(base, third):
    ours, theirs = (with_part(base, "f_001", value) for value in ("丙", "丁"))
    merged = merge(base, ours, theirs, {"f_001": Choice("other", third)})
    assert merged.result == with_part(base, "f_001", third)
