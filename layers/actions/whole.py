"""Judge whole new versions of features against the locked rows: what a changeset makes of them, ready to be written.

layers.actions.prepare does the same for edits that name what they change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from layers.actions.errors import BadEdit, FeatureMissing
from layers.actions.prepare import (
    Batch,
    Stored,
    inside,
    judge_geometry,
    judge_place,
    row_of,
    touch,
    writable_field,
)
from layers.rights import FieldNotFound, Scope
from layers.rules.periods import Period, overlapping
from layers.rules.values import FAULT_ZH, fault


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What becomes of one feature, or of one period of it.

    Attributes
    ----------
    period
        In layers with valid time, the first day of the period, old and new.
    version
        The number that a feature gets which is not there now; the others count on.
    gone
        Whether it is deleted; then the rest says nothing.
    """

    fid: int
    period: date | None
    geometry: BaseGeometry | None
    valid_to: date | None
    values: Mapping[str, Any]
    version: int = 1
    gone: bool = False


def prepare_versions(
    scope: Scope,
    versions: Sequence[NewVersion],
    before: Mapping[int, Sequence[Stored]],
    reach: frozenset[str] = frozenset(),
) -> Batch:
    """The batch that makes these versions true.

    Parameters
    ----------
    scope
        Its fields and area bound what may change: of every changed feature the old and the new place.
    before
        The locked rows, by fid.

    Raises
    ------
    BadEdit, FeatureMissing, OutsideArea
    """
    batch = Batch(reach)
    ordered = sorted(enumerate(versions, 1), key=lambda one: (one[1].fid, one[1].period or date.min))
    for fid, several in groupby(ordered, key=lambda one: one[1].fid):
        _feature(scope, batch, list(several), fid, {one.start: one for one in before.get(fid, ())})
    return batch


def _feature(
    scope: Scope,
    batch: Batch,
    several: Sequence[tuple[int, NewVersion]],
    fid: int,
    stored: Mapping[date | None, Stored],
) -> None:
    """All that happens to one feature."""
    periods: dict[date | None, Period] = {
        start: Period(start, one.end) for start, one in stored.items() if start
    }
    there, shapes = set(stored), []
    for number, new in several:
        old = stored.get(new.period)
        shapes += [shapely.from_wkb(old.geometry) if old else None, None if new.gone else new.geometry]
        if old is not None and not inside(scope, batch, shapely.from_wkb(old.geometry), old.values):
            raise FeatureMissing(layer=scope.layer.name, fid=fid)
        if new.gone:
            batch.rows.append({"op": "delete", "fid": fid, "period": new.period and new.period.isoformat()})
            there.discard(new.period)
            periods.pop(new.period, None)
            continue
        _judge(scope, batch, number, new, old)
        period = Period(new.period, new.valid_to) if new.period else None
        if period is not None:
            periods[new.period] = period
        there.add(new.period)
        op, version = ("update", old.version) if old else ("insert", new.version)
        batch.rows.append(row_of(op, fid, version, new.period, new.geometry, period, new.values))
    if overlapping(list(periods.values())):
        number = several[0][0]
        raise BadEdit(number=number, reason="two periods overlap", reason_zh="两个有效期重叠")
    _count(batch, fid, was=bool(stored), will=bool(there), shapes=shapes)


def _judge(scope: Scope, batch: Batch, number: int, new: NewVersion, old: Stored | None) -> None:
    """Refuse what the scope may not write, or the layer not hold."""
    if old is None or shapely.to_wkb(new.geometry) != old.geometry:
        judge_geometry(scope, number, new.geometry)
    judge_place(scope, batch, number, new.geometry, new.values)
    places = [new.geometry] if old is None else [shapely.from_wkb(old.geometry), new.geometry]
    for field in scope.layer.fields:
        value = new.values.get(field.column)
        if value == (old.values.get(field.column) if old else None) and (old or not field.required):
            continue
        try:
            writable_field(scope, field.name, places)
        except FieldNotFound as error:
            hidden = {"reason": f"there is no field {field.name}", "reason_zh": f"没有字段 {field.name}"}
            raise BadEdit(number=number, **hidden) from error
        if word := fault(field, value):
            zh = FAULT_ZH[word]
            raise BadEdit(
                number=number, reason=f"field {field.name}: {word}", reason_zh=f"字段 {field.name}：{zh}"
            )


def _count(batch: Batch, fid: int, *, was: bool, will: bool, shapes: Iterable[BaseGeometry | None]) -> None:
    op = "update" if was and will else "insert" if will else "delete"
    batch.inserted += op == "insert"
    batch.updated += op == "update"
    batch.deleted += op == "delete"
    touch(batch, fid, op, shapes)
