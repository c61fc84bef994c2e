"""Judge a batch of edits against the locked rows and work out the new versions, before the layer is locked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import numpy as np
import shapely
from django.conf import settings
from shapely.geometry.base import BaseGeometry

from layers.actions.errors import BadEdit, EditConflict, FeatureMissing, OutsideArea, VersionRequired
from layers.catalogue import FieldInfo
from layers.moments import CITY_TIME
from layers.rights import FieldNotFound, Scope
from layers.rules.periods import Period, empty, overlapping
from layers.rules.values import FAULT_ZH, coerced, fault
from spatial.crs import numeric_bounds
from spatial.validity import examine, explain

BOUNDS = numeric_bounds(settings.ONEMAP_SRID)
_GEOMETRY_ZH = {
    "empty": "几何为空",
    "non-finite": "坐标不是有限数",
    "out-of-range": "超出坐标系可表示的范围",
    "wrong-type": "几何类型与图层不符",
    "has heights; send it in two dimensions": "含高程，请发送二维几何",
}


class Edit(Protocol):
    """What is asked of one feature (layers.actions.edit.FeatureEdit)."""

    @property
    def op(self) -> str: ...  # noqa: D102
    @property
    def fid(self) -> int | None: ...  # noqa: D102
    @property
    def version(self) -> int | None: ...  # noqa: D102
    @property
    def geometry(self) -> BaseGeometry | None: ...  # noqa: D102
    @property
    def properties(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def period(self) -> date | None: ...  # noqa: D102
    @property
    def since(self) -> date | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Stored:
    """A locked row: one period of one feature. Geometry is WKB in the storage CRS; a table's rows have none."""

    fid: int
    version: int
    geometry: bytes | None
    start: date | None
    end: date | None
    values: dict[str, Any]
    revision: int = 0  # at which this version came to be


@dataclass
class Batch:
    """Rows for write_rows.sql, what they touch, and their counts.

    `reach` holds the codes that rows of a table may join, for an editor of one area.
    """

    reach: frozenset[str] = frozenset()
    rows: list[dict[str, Any]] = field(default_factory=list)
    touched: list[dict[str, Any]] = field(default_factory=list)
    extent: list[float] | None = None
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    dropped: Counter[int] = field(default_factory=Counter)  # periods taken away, by fid
    fids: tuple[int, ...] = ()
    versions: tuple[int, ...] = ()


def prepare(
    scope: Scope,
    edits: Sequence[Edit],
    before: dict[int, list[Stored]],
    new_fids: list[int],
    reach: frozenset[str] = frozenset(),
) -> Batch:
    """The batch that makes these edits true.

    Parameters
    ----------
    reach
        Of a table, for an editor of one area: the codes of features within it.

    Raises
    ------
    EditConflict, FeatureMissing, BadEdit, OutsideArea, VersionRequired
    """
    batch, fresh = Batch(reach), iter(new_fids)
    fids: list[int] = []
    versions: list[int] = []
    seen: set[tuple[int, date | None]] = set()
    for number, edit in enumerate(edits, 1):
        if not scope.layer.valid_time and (edit.since or edit.period):
            none = "this layer has no valid time, so no period and no since"
            raise BadEdit(number=number, reason=none, reason_zh="该图层没有有效期，不能给出 period 或 since")
        if edit.op == "insert":
            fid, version = next(fresh), 1
            _insert(scope, batch, number, edit, fid)
        else:
            fid, version = _change(scope, batch, number, edit, before, seen)
        fids.append(fid)
        versions.append(version)
    batch.fids, batch.versions = tuple(fids), tuple(versions)
    return batch


def _insert(scope: Scope, batch: Batch, number: int, edit: Edit, fid: int) -> None:
    if edit.geometry is None and not scope.layer.is_table:
        raise BadEdit(number=number, reason="a new feature needs a geometry", reason_zh="新要素需要几何")
    judge_geometry(scope, number, edit.geometry)
    values = _values(scope, number, edit.properties, {}, [edit.geometry])
    judge_place(scope, batch, number, edit.geometry, values)
    start = (edit.period or edit.since or _today()) if scope.layer.valid_time else None
    batch.rows.append(
        row_of("insert", fid, 1, None, edit.geometry, Period(start, None) if start else None, values)
    )
    batch.inserted += 1
    touch(batch, fid, "insert", [edit.geometry])


def _change(
    scope: Scope,
    batch: Batch,
    number: int,
    edit: Edit,
    before: dict[int, list[Stored]],
    seen: set[tuple[int, date | None]],
) -> tuple[int, int]:
    periods = before.get(edit.fid or 0, [])
    stored = _meant(scope, batch, edit, periods)
    if (stored.fid, stored.start) in seen:
        twice = f"feature {stored.fid} is named twice in one change"
        raise BadEdit(number=number, reason=twice, reason_zh=f"要素 {stored.fid} 在同一修改中出现两次")
    seen.add((stored.fid, stored.start))
    if edit.version is None:
        raise VersionRequired()
    if edit.version != stored.version:
        raise EditConflict(
            layer=scope.layer.name, fid=stored.fid, version=edit.version, current=stored.version
        )
    if edit.op == "delete":
        _delete(batch, number, edit, stored, len(periods))
        return stored.fid, stored.version + 1
    was = shapely.from_wkb(stored.geometry)
    geometry = edit.geometry if edit.geometry is not None else was
    judge_geometry(scope, number, edit.geometry)
    values = _values(scope, number, edit.properties, stored.values, [was, geometry])
    judge_place(scope, batch, number, geometry, values)
    version = _update(scope, batch, number, edit, stored, periods, geometry, values)
    return stored.fid, version


def _meant(scope: Scope, batch: Batch, edit: Edit, periods: list[Stored]) -> Stored:
    """The stored period an edit means, if the editor may see it."""
    visible = [one for one in periods if inside(scope, batch, shapely.from_wkb(one.geometry), one.values)]
    if not scope.layer.valid_time:
        if not visible:
            raise FeatureMissing(layer=scope.layer.name, fid=edit.fid)
        return visible[0]
    day = edit.period
    for one in visible:
        if one.start == day or (day is None and _holds(one, edit.since or _today())):
            return one
    raise FeatureMissing(layer=scope.layer.name, fid=edit.fid)


def _holds(stored: Stored, day: date) -> bool:
    return stored.start is not None and stored.start <= day and (stored.end is None or day < stored.end)


def _update(
    scope: Scope,
    batch: Batch,
    number: int,
    edit: Edit,
    stored: Stored,
    periods: list[Stored],
    geometry: BaseGeometry | None,
    values: dict[str, Any],
) -> int:
    """Note a correction or a succession; return the version that the feature has from then on."""
    shapes = [shapely.from_wkb(stored.geometry), geometry]
    period = Period(stored.start, stored.end) if stored.start else None
    version = stored.version + 1
    if edit.since is None or period is None or edit.since == period.start:
        batch.rows.append(
            row_of("update", stored.fid, stored.version, stored.start, geometry, period, values)
        )
    else:  # a succession: the old period ends where the new one begins
        old, new = Period(period.start, edit.since), Period(edit.since, period.end)
        others = [Period(one.start, one.end) for one in periods if one.start and one.start != stored.start]
        if empty(old) or empty(new) or overlapping([old, new, *others]):
            raise BadEdit(
                number=number,
                reason=f"{edit.since} does not lie within the period that it should end",
                reason_zh=f"{edit.since} 不在所要终止的有效期之内",
            )
        kept = dict(stored.values)
        batch.rows.append(row_of("update", stored.fid, stored.version, stored.start, shapes[0], old, kept))
        # Above every period's version: whoever read the old period is told, also if both are "today" to them.
        version = max(one.version for one in periods) + 1
        batch.rows.append(row_of("insert", stored.fid, version, None, geometry, new, values))
    batch.updated += 1
    touch(batch, stored.fid, "update", shapes)
    return version


def _delete(batch: Batch, number: int, edit: Edit, stored: Stored, periods: int) -> None:
    """End a period on a day, or take it away; with the last of its `periods` the feature is gone."""
    shape = shapely.from_wkb(stored.geometry)
    if edit.since is not None and stored.end is not None and edit.since >= stored.end:
        raise BadEdit(
            number=number,
            reason=f"the period ends on {stored.end}, before {edit.since}",
            reason_zh=f"该有效期于 {stored.end} 结束，早于 {edit.since}",
        )
    if edit.since is not None and stored.start is not None and edit.since > stored.start:
        ended = Period(stored.start, edit.since)
        batch.rows.append(
            row_of("update", stored.fid, stored.version, stored.start, shape, ended, stored.values)
        )
        batch.updated += 1
        touch(batch, stored.fid, "update", [shape])
        return
    batch.rows.append({"op": "delete", "fid": stored.fid, "period": _text(stored.start)})
    batch.dropped[stored.fid] += 1
    last = batch.dropped[stored.fid] == periods
    if last:
        batch.deleted += 1
    else:
        batch.updated += 1
    touch(batch, stored.fid, "delete" if last else "update", [shape])


def row_of(
    op: str,
    fid: int,
    version: int,
    was: date | None,
    geometry: BaseGeometry | None,
    period: Period | None,
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """A row for write_rows.sql: the whole new version, ready for JSON."""
    shape = shapely.set_srid(geometry, settings.ONEMAP_SRID)
    row = {"op": op, "fid": fid, "version": version, "period": _text(was)}
    row["geom"] = shapely.to_wkb(shape, hex=True, include_srid=True, output_dimension=2)
    if period is not None:
        row |= {"valid_from": _text(period.start), "valid_to": _text(period.end)}
    return row | {
        column: value.isoformat() if isinstance(value, date | datetime) else value
        for column, value in values.items()
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _today() -> date:
    return datetime.now(CITY_TIME).date()


def touch(batch: Batch, fid: int, op: str, shapes: Iterable[BaseGeometry | None]) -> None:
    """Note where a feature was and will be."""
    placed = [shape for shape in shapes if shape is not None]
    if not placed:
        batch.touched.append({"fid": fid, "op": op, "bbox": None})
        return
    box = [float(value) for value in shapely.total_bounds(np.array(placed))]
    batch.touched.append({"fid": fid, "op": op, "bbox": box})
    known = batch.extent or box
    batch.extent = [
        min(known[0], box[0]),
        min(known[1], box[1]),
        max(known[2], box[2]),
        max(known[3], box[3]),
    ]


def judge_geometry(scope: Scope, number: int, geometry: BaseGeometry | None) -> None:
    """Refuse a geometry, where one is given, that may not be stored.

    Raises
    ------
    BadEdit
    """
    if geometry is None:
        return
    if scope.layer.is_table:
        raise BadEdit(number=number, reason="a table has no geometries", reason_zh="表没有几何")
    reason = examine(np.array([geometry], dtype=object), scope.layer.family, BOUNDS)[0]
    if reason is None and geometry.has_z:
        reason = "has heights; send it in two dimensions"
    if reason is not None:
        where = explain(geometry) if reason == "invalid" else None
        en, zh = (where.en, where.zh) if where else (reason, _GEOMETRY_ZH.get(reason, reason))
        raise BadEdit(number=number, reason=f"geometry: {en}", reason_zh=f"几何：{zh}")


def judge_place(
    scope: Scope, batch: Batch, number: int, geometry: BaseGeometry | None, values: Mapping[str, Any]
) -> None:
    """Refuse a row outside the areas of the scope.

    Raises
    ------
    OutsideArea
    """
    if not inside(scope, batch, geometry, values):
        raise OutsideArea(number=number)


def inside(scope: Scope, batch: Batch, geometry: BaseGeometry | None, values: Mapping[str, Any]) -> bool:
    """Whether a row lies, or joins a feature that lies, within the areas of the scope."""
    if scope.areas is None:
        return True
    if scope.layer.is_table:
        join = scope.layer.join
        return join is not None and str(values.get(join.field.column)) in batch.reach
    return _touches(scope.areas, geometry)


def _touches(areas: Iterable[bytes], geometry: BaseGeometry | None) -> bool:
    return any(shapely.intersects(shapely.from_wkb(area), geometry) for area in areas)


def writable_field(scope: Scope, name: str, shapes: Iterable[BaseGeometry | None]) -> FieldInfo:
    """A field that the editor may write where the feature lay and will lie.

    Where a field is granted in some areas only, a table's rows lie in none of them.

    Raises
    ------
    FieldNotFound
    """
    for one in scope.fields:
        if one.field.name == name and (
            one.areas is None or all(_touches(one.areas, shape) for shape in shapes)
        ):
            return one.field
    raise FieldNotFound(layer=scope.layer.name, field=name)


def _values(
    scope: Scope,
    number: int,
    given: Mapping[str, Any],
    before: Mapping[str, Any],
    shapes: Sequence[BaseGeometry | None],
) -> dict[str, Any]:
    """The new values by column: what was, with what is given put in its place.

    Parameters
    ----------
    shapes
        Where the feature lay and will lie.
    """
    found = {one.column: before.get(one.column) for one in scope.layer.fields}
    for name, value in given.items():
        try:
            field_ = writable_field(scope, name, shapes)
            found[field_.column] = coerced(field_, value)
        except FieldNotFound as error:
            missing = {"reason": f"there is no field {name}", "reason_zh": f"没有字段 {name}"}
            raise BadEdit(number=number, **missing) from error
        except (ValueError, OverflowError) as error:
            kind = scope.field(name).type
            wrong = {
                "reason": f"field {name}: not a value of type {kind}",
                "reason_zh": f"字段 {name}：不是 {kind} 类型的值",
            }
            raise BadEdit(number=number, **wrong) from error
    for one in scope.layer.fields:
        if (word := fault(one, found[one.column])) and (one.name in given or not before):
            zh = FAULT_ZH[word]
            raise BadEdit(
                number=number, reason=f"field {one.name}: {word}", reason_zh=f"字段 {one.name}：{zh}"
            )
    return found
