"""What must hold of a layer's rows beside their types: the checks that a profile or a layer declares.

Every check yields findings and raises nothing; it names rows by their place in the columns it was given. Areas are
square metres. Sources: quality rules Q4 and Q7 for results of plans and surveys (unique keys, codes with their names,
stated against reckoned area, sums against control totals, tables against maps).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK, WARN = "block", "warn"

# The forms a code may be declared to have; a profile chooses one by name and writes none of its own.
# parcel_code, unit_code: GB/T 37346, 19 and 28 places; division12: GB/T 2260 with GB/T 10114, down to communities.
_PARCEL = r"[1-9][0-9]{5}[0-9]{3}[0-9]{3}[GJZ][ABSXCDEFHGWY][0-9]{5}"
FORMS = {
    "parcel_code": (
        re.compile(_PARCEL + r"\Z", re.ASCII),
        "19 places: 12 digits, G, J or Z, a letter, 5 digits",
        "19 位宗地代码：12 位数字＋宗地特征码 2 位＋5 位顺序号",
    ),
    "unit_code": (
        re.compile(_PARCEL + r"(?:[FLQ][0-9]{8}|W0{8})\Z", re.ASCII),
        "28 places: the parcel's code, then F, L or Q with 8 digits, or W00000000",
        "28 位不动产单元代码：宗地代码＋定着物特征码与 8 位单元号（W 后为 8 个零）",
    ),
    "division12": (
        re.compile(r"[1-9][0-9]{11}\Z", re.ASCII),
        "12 digits: county 6, street 3, community 3",
        "12 位行政区划代码：县级 6 位＋街道 3 位＋社区 3 位",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a layer's rows.

    Attributes
    ----------
    rows
        Places in the columns the check was given: the row at fault first. Empty where no row is at fault, as when a
        feature is missing.
    """

    code: str
    message: str
    message_zh: str
    rows: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    level: str = BLOCK


@dataclass(frozen=True, slots=True)
class AreaRule:
    """How far a stated area may be off: by the larger of two limits.

    Attributes
    ----------
    absolute_m2
        Square metres.
    relative
        Share of the reckoned area.
    """

    field: str
    absolute_m2: float = 1.0
    relative: float = 0.001


def as_key(value: Any) -> str | None:
    """A value as two sources may write it alike: 7, 7.0 and ' 7' are '7'; an empty one is None.

    >>> as_key(7.0), as_key(" 7"), as_key("")
    ('7', '7', None)
    """
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def unique(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Iterator[Finding]:
    """Rows whose fields `names`, taken together, are empty or repeat those of an earlier row."""
    what = "+".join(names)
    first: dict[tuple[str, ...], int] = {}
    for place, values in enumerate(zip(*(columns[name] for name in names), strict=True)):
        key = tuple(as_key(value) or "" for value in values)
        if not all(key):
            facts: dict[str, Any] = {"field": what}
            yield Finding("key-missing", f"{what} is empty", f"{what} 为空", (place,), facts)
            continue
        earlier = first.setdefault(key, place)
        if earlier != place:
            shown = "+".join(key)
            facts = {"field": what, "value": shown}
            yield Finding(
                "duplicate-key",
                f"{what} {shown} is there twice",
                f"{what} {shown} 重复",
                (place, earlier),
                facts,
            )


def names_of_codes(
    codes: Sequence[Any], names: Sequence[Any], known: Mapping[str, Sequence[str]], fields: tuple[str, str]
) -> Iterator[Finding]:
    """Rows whose name is not the code's.

    Parameters
    ----------
    known
        The names each code has, the usual one first; a code that is not there is another check's matter.
    fields
        Names of the two fields.
    """
    for place, (code, name) in enumerate(zip(codes, names, strict=True)):
        right = known.get(as_key(code) or "")
        given = as_key(name)
        if right and given not in right:
            wanted = right[0]
            yield Finding(
                "name-mismatch",
                f"{fields[0]} {code} is {wanted}, but {fields[1]} says {given or 'nothing'}",
                f"{fields[0]} {code} 应为“{wanted}”，{fields[1]} 填写为“{given or '空'}”",
                (place,),
                {"field": fields[1], "code": str(code), "value": given, "expected": wanted},
            )


def forms(values: Sequence[Any], name: str, form: str) -> Iterator[Finding]:
    """Rows whose code has not the form it is declared to have; empty ones are another check's matter."""
    pattern, words, words_zh = FORMS[form]
    for place, value in enumerate(values):
        if value is not None and value != "" and not pattern.match(str(value)):
            facts = {"field": name, "value": str(value)[:80], "form": form}
            yield Finding(
                "code-form",
                f"{name} {facts['value']} has not the form of its kind ({words})",
                f"{name} {facts['value']} 不符合编码规则（{words_zh}）",
                (place,),
                facts,
            )


def stated_areas(stated: Sequence[Any], true: NDArray[np.float64], rule: AreaRule) -> Iterator[Finding]:
    """Rows whose stated area is off by more than the larger of the two limits, or missing.

    Parameters
    ----------
    true : array, shape (n,)
        Reckoned areas, square metres.
    """
    told = np.array([np.nan if value is None else float(value) for value in stated], dtype=np.float64)
    limit = np.maximum(rule.absolute_m2, rule.relative * true)
    with np.errstate(invalid="ignore"):
        right = np.abs(told - true) <= limit
    for place in np.flatnonzero(~right).tolist():
        given = None if np.isnan(told[place]) else round(float(told[place]), 2)
        reckoned = round(float(true[place]), 2)
        facts = {"field": rule.field, "stated_m2": given, "area_m2": reckoned}
        if given is not None:
            facts["difference_m2"] = round(given - reckoned, 2)
        yield Finding(
            "area-mismatch",
            f"{rule.field} says {given} m², the area is {reckoned} m²",
            f"{rule.field} 填写 {given if given is not None else '空'} 平方米，计算面积为 {reckoned} 平方米",
            (place,),
            facts,
        )


def total_of(values: Sequence[Any], expected: float, name: str, tolerance: float) -> Iterator[Finding]:
    """Whether all values together are the control total."""
    found = float(sum(float(value) for value in values if value is not None))
    if abs(found - expected) > tolerance:
        yield _sum_off(name, None, found, expected, ())


def totals_by_group(
    values: Sequence[Any], groups: Sequence[Any], expected: Mapping[str, float], name: str, tolerance: float
) -> Iterator[Finding]:
    """Whether the values of each group add up to its control total, and every group has one."""
    sums: dict[str, float] = defaultdict(float)
    members: dict[str, list[int]] = defaultdict(list)
    for place, (value, group) in enumerate(zip(values, groups, strict=True)):
        known = as_key(group) or ""
        sums[known] += float(value) if value is not None else 0.0
        members[known].append(place)
    for group in sorted({*sums, *expected}):
        if group not in expected:
            yield Finding(
                "sum-no-control",
                f"{name}: there is no control total for {group or 'an empty group'}",
                f"{name}：{group or '（空）'} 没有控制面积",
                tuple(members[group]),
                {"field": name, "group": group, "sum": round(sums[group], 4)},
            )
        elif abs(sums[group] - expected[group]) > tolerance:
            yield _sum_off(name, group, sums[group], expected[group], tuple(members[group]))


def _sum_off(name: str, group: str | None, found: float, expected: float, rows: tuple[int, ...]) -> Finding:
    facts = {
        "field": name,
        "group": group,
        "sum": round(found, 4),
        "expected": round(expected, 4),
        "difference": round(found - expected, 4),
    }
    of, of_zh = (f" of {group}", f"（{group}）") if group is not None else ("", "")
    return Finding(
        "sum-mismatch",
        f"the sum of {name}{of} is {facts['sum']}, the control total is {facts['expected']}",
        f"{name}{of_zh} 合计 {facts['sum']}，控制数为 {facts['expected']}，相差 {facts['difference']}",
        rows,
        facts,
    )


def without_partner(
    values: Sequence[Any], others: Collection[str], name: str, of: tuple[str, str]
) -> Iterator[Finding]:
    """Rows whose key the other side has not; empty keys are among them.

    Parameters
    ----------
    others
        Keys of the other side (`as_key`).
    of
        What the row is ('feature' or 'table-row'), and what the other side is called.
    """
    kind, other = of
    said, said_zh = ("the feature", "图斑") if kind == "feature" else ("the row", "记录")
    for place, value in enumerate(values):
        key = as_key(value)
        if key is None or key not in others:
            yield Finding(
                f"{kind}-without-partner",
                f"{said} with {name} {key or 'empty'} has no counterpart in {other}",
                f"{name} 为 {key or '空'} 的{said_zh}在 {other} 中没有对应记录",
                (place,),
                {"field": name, "value": key, "other": other},
            )
