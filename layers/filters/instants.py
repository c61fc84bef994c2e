"""Days and instants as filters write them (RFC 3339)."""

import re
from datetime import UTC, date, datetime

from layers.filters.refusals import FilterSyntax
from layers.filters.tree import Literal, Unbounded

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def day_of(text: str, at: str) -> Literal:
    """A day: `2026-01-31`.

    Raises
    ------
    FilterSyntax
    """
    try:
        if _DAY.fullmatch(text):
            return Literal(date.fromisoformat(text), at)
    except ValueError:
        pass
    raise FilterSyntax(
        at=at,
        found="a text",
        expected="a day such as '2026-01-31'",
        expected_zh="日期，例如 '2026-01-31'",
    )


def instant_of(text: str, at: str) -> Literal:
    """An instant with its offset: `2026-01-31T12:00:00Z`.

    Raises
    ------
    FilterSyntax
    """
    try:
        if _INSTANT.fullmatch(text):
            found = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
            if 1 < found.year < 9999:  # room for every offset at the ends of the calendar
                return Literal(found.astimezone(UTC), at)
    except ValueError:
        pass
    raise FilterSyntax(
        at=at,
        found="a text",
        expected="an instant such as '2026-01-31T12:00:00Z'",
        expected_zh="带时区的时刻，例如 '2026-01-31T12:00:00Z'",
    )


def side_of(text: str, at: str) -> Literal | Unbounded:
    """One side of an interval: a day, an instant, or `..` for none.

    Raises
    ------
    FilterSyntax
    """
    if text == "..":
        return Unbounded(at)
    return day_of(text, at) if len(text) <= 10 else instant_of(text, at)
