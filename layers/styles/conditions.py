"""Conditions of style rules: `["==", "class", "主干路"]`, joined by all, any and not.

One form for everything that draws: the renderer gets it as an expression of its own, the client reads the JSON.
A comparison with a missing value is false, whatever the operator, as in SQL.
"""

import operator as signs
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layers.styles.refusals import StyleRefused

_ORDERS = {"<": signs.lt, "<=": signs.le, ">": signs.gt, ">=": signs.ge}
COMPARISONS = ("==", "!=", *_ORDERS)
MOST_DEEP = 8
MOST_VALUES = 500
LONGEST = 400  # characters of a value

Value = str | int | float | bool
Condition = Sequence[Any]


def checked(given: Any, deep: int = 0) -> Condition:
    """A condition in its one form: lists, operators and plain values.

    Raises
    ------
    StyleRefused
    """
    if not isinstance(given, list | tuple) or not given or not isinstance(given[0], str) or deep > MOST_DEEP:
        raise StyleRefused(where="where", what='a condition is ["==", FIELD, VALUE], at most 8 deep')
    operator, *rest = given
    if operator in {"all", "any"} and 1 <= len(rest) <= MOST_VALUES:
        return [operator, *(checked(one, deep + 1) for one in rest)]
    if operator == "not" and len(rest) == 1:
        return ["not", checked(rest[0], deep + 1)]
    return _about_field(operator, rest)


def _about_field(operator: str, rest: list[Any]) -> Condition:
    if rest and isinstance(rest[0], str):
        field, *values = rest
        if operator == "null" and not values:
            return ["null", field]
        if operator in COMPARISONS and len(values) == 1 and _plain(values[0]):
            return [operator, field, values[0]]
        listed = values[0] if operator == "in" and len(values) == 1 else None
        if isinstance(listed, list) and 1 <= len(listed) <= MOST_VALUES and all(map(_plain, listed)):
            return ["in", field, list(listed)]
    raise StyleRefused(
        where="where",
        what=f"{operator[:20]!r} is none of all, any, not, null, in, {', '.join(COMPARISONS)}, or lacks values",
    )


def _plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST and "\x00" not in value
    return isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < 1e15)


def fields_of(condition: Condition) -> Iterator[str]:
    """The fields that a condition asks about."""
    operator, *rest = condition
    if operator in {"all", "any", "not"}:
        for one in rest:
            yield from fields_of(one)
    else:
        yield rest[0]


def holds(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Whether a feature with these values fulfils a condition."""
    operator, *rest = condition
    if operator == "all":
        return all(holds(one, values) for one in rest)
    if operator == "any":
        return any(holds(one, values) for one in rest)
    if operator == "not":
        return not holds(rest[0], values)
    value = values.get(rest[0])
    if operator == "null":
        return value is None
    if value is None:
        return False
    return (
        any(_same(value, one) for one in rest[1]) if operator == "in" else _compared(operator, value, rest[1])
    )


def _compared(operator: str, value: Any, other: Any) -> bool:
    if operator in {"==", "!="}:
        return _same(value, other) is (operator == "==")
    if isinstance(value, str) is not isinstance(other, str):
        return False
    return bool(_ORDERS[operator](value, other))


def _same(value: Any, other: Any) -> bool:
    """Equal, and both true or false where one is: in other languages true is not 1."""
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)
