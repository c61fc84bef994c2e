"""JSON as senders write it: one strict reader for every door.

Python's own reader takes NaN and Infinity, keeps the last of duplicate keys, and fails with other exceptions
on deep nesting, long integers and lone surrogates; here each of these is a refusal with a name.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

import numpy as np

from spatial.errors import Kind, OnemapError
from spatial.numbers import shown

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_LONGEST_INTEGER = 19
_STEP = np.zeros(256, dtype=np.int32)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


class BadJson(OnemapError):
    """A body that should be JSON is none, or says something JSON leaves undefined."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "bad-json"
    message: ClassVar[str] = "the JSON text cannot be read: {reason}"
    message_zh: ClassVar[str] = "JSON 文本无法读取：{reason}"


class BodyTooLarge(OnemapError):
    """A body is longer than its door takes."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar[str] = "body-too-large"
    message: ClassVar[str] = "the body has {size} bytes, {limit} are allowed; send it in parts"
    message_zh: ClassVar[str] = "请求体 {size} 字节，上限 {limit} 字节，请分批发送"


def loads(data: bytes | str, *, max_bytes: int = 20_000_000, max_depth: int = 64) -> Any:
    """The value written in `data`.

    Parameters
    ----------
    data : bytes or str
        UTF-8 without byte order mark.
    max_bytes : int
        Longest text taken, in bytes of UTF-8.
    max_depth : int
        Deepest nesting of arrays and objects taken.

    Raises
    ------
    BadJson
        Not JSON; NaN, Infinity or a number outside the double range; duplicate keys; an integer of more than
        19 digits; too deep; a lone surrogate; a NUL; not UTF-8.
    BodyTooLarge
        More than `max_bytes`.

    Examples
    --------
    >>> loads(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    raw, text = _both(data, max_bytes)
    if _depth(raw) > max_depth:
        raise BadJson(reason=f"nested deeper than {max_depth}")
    try:
        value = json.loads(
            text,
            parse_constant=_reject_constant,
            parse_int=_integer,
            parse_float=_real,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as fault:
        raise BadJson(reason=f"line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise BadJson(reason=f"nested deeper than {max_depth}") from None
    if _SUSPECT_ESCAPE.search(raw):
        _check_strings(value)
    return value


def _both(data: bytes | str, max_bytes: int) -> tuple[bytes, str]:
    if len(data) > max_bytes:
        raise BodyTooLarge(size=len(data), limit=max_bytes)
    try:
        if isinstance(data, str):
            raw, text = data.encode(), data
        else:
            raw, text = data, data.decode()
    except UnicodeError:
        raise BadJson(reason="not UTF-8") from None
    if len(raw) > max_bytes:
        raise BodyTooLarge(size=len(raw), limit=max_bytes)
    return raw, text


def _depth(raw: bytes) -> int:
    """Deepest nesting of brackets outside strings; counted before parsing, so that no recursion happens."""
    marks = np.frombuffer(_STRING.sub(b"", raw), dtype=np.uint8)
    return int(np.cumsum(_STEP[marks]).max(initial=0))


def _reject_constant(word: str) -> NoReturn:
    raise BadJson(reason=f"{word} is not JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _LONGEST_INTEGER:
        raise BadJson(reason=f"integer of more than {_LONGEST_INTEGER} digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadJson(reason=f"{shown(digits)} is outside the range of numbers")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(reason=f"duplicate key '{shown(twice)}'")
    return found


def _check_strings(value: Any) -> None:
    for text in _strings(value):
        if "\x00" in text:
            raise BadJson(reason="NUL in a string")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadJson(reason="lone surrogate in a string") from None


def _strings(value: Any) -> Iterator[str]:
    open_values = [value]
    while open_values:
        item = open_values.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            open_values.extend(item)
            open_values.extend(item.values())
        elif isinstance(item, list):
            open_values.extend(item)
