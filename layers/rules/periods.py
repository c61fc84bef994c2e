"""Valid time: the periods of one feature never overlap; a period is half open, [valid_from, valid_to)."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple


class Period(NamedTuple):
    """When a version of a feature is valid; `end` None is until further notice."""

    start: date
    end: date | None


def overlapping(periods: Iterable[Period]) -> tuple[Period, Period] | None:
    """The first two periods that overlap; None when none do.

    >>> a, b = Period(date(2024, 1, 1), date(2025, 1, 1)), Period(date(2025, 1, 1), None)
    >>> overlapping([b, a]) is None
    True
    >>> overlapping([a, Period(date(2024, 12, 31), None)]) is not None
    True
    """
    known = sorted(periods, key=lambda period: period.start)
    for earlier, later in zip(known, known[1:], strict=False):
        if earlier.end is None or earlier.end > later.start:
            return earlier, later
    return None


def empty(period: Period) -> bool:
    """Whether a period holds no day."""
    return period.end is not None and period.end <= period.start
