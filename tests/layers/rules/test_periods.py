"""Periods of one feature, half open."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from layers.rules.periods import Period, empty, overlapping

day = st.integers(0, 400).map(lambda n: date(2024, 1, 1) + timedelta(n))
period = st.builds(Period, day, st.none() | day).filter(lambda one: not empty(one))


def days_of(one):
    end = one.end or date(2030, 1, 1)
    return {one.start + timedelta(n) for n in range((end - one.start).days)}


@given(st.lists(period, max_size=5))
def test_overlap_is_a_day_that_two_share(periods):
    shared = any(days_of(one) & days_of(two) for n, one in enumerate(periods) for two in periods[:n])
    assert (overlapping(periods) is not None) == shared


@given(day, day)
def test_a_period_that_ends_before_it_begins_holds_no_day(start, end):
    assert empty(Period(start, end)) == (not days_of(Period(start, end)))
    assert not empty(Period(start, None))
