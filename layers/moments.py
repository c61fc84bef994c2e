"""The two times of a question: `as-of` (record time) and `datetime` (valid time)."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from layers.catalogue import LayerInfo
from spatial.errors import Kind, OnemapError

CITY_TIME = ZoneInfo("Asia/Shanghai")
_REVISION = re.compile(r"rev:([0-9]{1,18})\Z", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z",
    re.ASCII,
)


class BadMoment(OnemapError):
    """A time that cannot be read."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-time"
    message: ClassVar = "{name} is not a time: give {forms}"
    message_zh: ClassVar = "{name} 不是有效时间，请使用 {forms}"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a question is asked about.

    `revision` None is as known now. `valid_from` and `valid_to` bound the valid time asked for, both inclusive
    dates; both equal for one day; None is unbounded on that side. `changeset` is the id of a changeset that the
    caller may see: the answer is the map as it would be with its changes.
    """

    revision: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    changeset: int | None = None

    @classmethod
    def today(cls, revision: int | None = None) -> "Moment":
        """Valid today, as known at `revision` (now)."""
        day = datetime.now(CITY_TIME).date()
        return cls(revision, day, day)


def parse_moment(layer: LayerInfo, as_of: str | None, valid: str | None) -> Moment:
    """Read the parameters `as-of` and `datetime` of one request.

    Parameters
    ----------
    as_of
        `rev:N` or an RFC 3339 time; a time is looked up to the last revision not later than it.
    valid
        An RFC 3339 time or date, or an interval `a/b` with `..` or nothing for an open side.

    Raises
    ------
    BadMoment
        Either cannot be read.
    """
    revision = _revision(layer, as_of) if as_of is not None else None
    if valid is None:
        return Moment.today(revision)
    start, end = _interval(valid)
    return Moment(revision, start, end)


def _revision(layer: LayerInfo, text: str) -> int:
    if found := _REVISION.match(text):
        return int(found.group(1))
    if not _TIME.match(text):
        raise BadMoment(name="as-of", forms="rev:N, 2026-01-31T12:00:00Z")
    when = _instant(text, "as-of")
    with connection.cursor() as cursor:
        _settle(cursor, layer, when)
        cursor.execute(
            "SELECT coalesce(max(revision), 0) FROM layers_change WHERE layer_id = %s AND at <= %s",
            [layer.id, when],
        )
        return int(cursor.fetchone()[0])


def _settle(cursor: Any, layer: LayerInfo, when: datetime) -> None:
    """Wait for a change that took its time before `when` and is not committed yet.

    Times are given under the lock of the layer's row and only grow: before the newest committed one nothing can
    still appear, after it only what a writer holds at this moment. Without this wait, the same question about the
    same past moment could be answered twice in different ways.
    """
    cursor.execute("SELECT changed_at > %s FROM layers_layer WHERE id = %s", [when, layer.id])
    known = cursor.fetchone()
    if known is None or not known[0]:
        with transaction.atomic():
            cursor.execute("SELECT 1 FROM layers_layer WHERE id = %s FOR SHARE", [layer.id])


def _interval(text: str) -> tuple[date | None, date | None]:
    sides = text.split("/")
    if len(sides) == 1:
        day = _day(sides[0])
        return day, day
    if len(sides) != 2 or all(side in {"", ".."} for side in sides) and sides != ["..", ".."]:
        raise BadMoment(name="datetime", forms="2026-01-31, 2026-01-31/2026-02-28, ../2026-02-28")
    start, end = (None if side in {"", ".."} else _day(side) for side in sides)
    if start is not None and end is not None and start > end:
        raise BadMoment(name="datetime", forms="an interval that begins before it ends")
    return start, end


def _day(text: str) -> date:
    try:
        if _DATE.match(text):
            return date.fromisoformat(text)
        if _TIME.match(text):
            return _instant(text, "datetime").astimezone(CITY_TIME).date()
    except ValueError as error:
        raise BadMoment(name="datetime", forms="a day that exists") from error
    raise BadMoment(name="datetime", forms="2026-01-31, 2026-01-31T00:00:00Z, 2026-01-31/..")


def _instant(text: str, name: str) -> datetime:
    try:
        whole = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.upper())
        found = datetime.fromisoformat(whole)
        if not 1 < found.year < 9999:  # room for the city's own time zone at the ends of the calendar
            raise BadMoment(name=name, forms="a time between the years 2 and 9998")
    except ValueError as error:
        raise BadMoment(name=name, forms="rev:N, 2026-01-31T12:00:00Z") from error
    return found
