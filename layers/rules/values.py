"""A field's value: its type and constraints, declared once and obeyed by import, API and forms alike."""

import math
from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Protocol


class FieldRule(Protocol):
    """What a field declares about its values."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def required(self) -> bool: ...  # noqa: D102
    @property
    def minimum(self) -> float | None: ...  # noqa: D102
    @property
    def maximum(self) -> float | None: ...  # noqa: D102
    @property
    def max_length(self) -> int | None: ...  # noqa: D102
    @property
    def codes(self) -> Collection[tuple[str, str, str]] | None: ...  # noqa: D102


FAULT_ZH = {
    "required": "必填",
    "below-minimum": "小于最小值",
    "above-maximum": "大于最大值",
    "too-long": "过长",
    "not-in-code-list": "不在代码表中",
}
INTEGER_LOW, INTEGER_HIGH = -(2**63), 2**63 - 1


def coerced(field: FieldRule, value: Any) -> Any:
    """A JSON value as the field's type.

    Raises
    ------
    ValueError
        The value is of another type; nothing is guessed (a text "12" is no integer).
    """
    if value is None:
        return None
    return _READERS[field.type](value)


def fault(field: FieldRule, value: Any) -> str | None:
    """The reason word why a (coerced) value breaks the field's constraints; None if it does not.

    Reasons: 'required', 'below-minimum', 'above-maximum', 'too-long', 'not-in-code-list'.
    """
    if value is None or value == "":
        return "required" if field.required else None
    if field.codes is not None and str(value) not in {code[0] for code in field.codes}:
        return "not-in-code-list"
    if isinstance(value, str):
        return "too-long" if field.max_length is not None and len(value) > field.max_length else None
    if isinstance(value, int | float):
        if field.minimum is not None and value < field.minimum:
            return "below-minimum"
        if field.maximum is not None and value > field.maximum:
            return "above-maximum"
    return None


def constrained(field: FieldRule) -> bool:
    """Whether the field declares any constraint besides its type."""
    limits = (field.minimum, field.maximum, field.max_length, field.codes)
    return field.required or any(limit is not None for limit in limits)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not INTEGER_LOW <= value <= INTEGER_HIGH:
        raise ValueError(value)
    return value


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return date.fromisoformat(_text(value))


def _datetime(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError(value)
    return found


_READERS = {
    "text": _text,
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
