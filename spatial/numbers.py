"""Numbers and boxes as senders write them: one strict reader for every door.

Python's own `float` takes 'nan', 'inf', '1_0' and full-width digits; none of these may pass. Coordinates keep
the order in which they were written: axis order is settled elsewhere, once.
"""

import math
import re
from typing import ClassVar, NamedTuple

from spatial.errors import Kind, OnemapError

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_LONGEST_NUMBER = 64
_LONGEST_BBOX = 400
_FARTHEST = 1e9  # no accepted coordinate system has coordinates beyond 46,000,000


class BBox(NamedTuple):
    """A box, smallest x and y first, in the units of the coordinate system it is used with."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


class BadNumber(OnemapError):
    """A text that should be a number is none, or lies outside its range."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "bad-number"
    message: ClassVar[str] = "{name}: '{value}' is not a number here ({expected})"
    message_zh: ClassVar[str] = "{name}：“{value}”不是此处可用的数（{expected}）"


class BadBBox(OnemapError):
    """A text that should be a box is none."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "bad-bbox"
    message: ClassVar[str] = "bbox '{value}': {reason}; write xmin,ymin,xmax,ymax as plain decimal numbers"
    message_zh: ClassVar[str] = "范围框“{value}”有误（{reason}）；请写成 xmin,ymin,xmax,ymax 四个十进制数"


def shown(text: str, longest: int = 40) -> str:
    """`text` cut and with control characters escaped, fit for a message."""
    cut = text if len(text) <= longest else text[:longest] + "…"
    return "".join(mark if mark.isprintable() else f"\\u{ord(mark):04x}" for mark in cut)


def parse_number(
    text: str, *, name: str = "number", low: float | None = None, high: float | None = None
) -> float:
    """The finite decimal number written in `text`.

    Parameters
    ----------
    text : str
        ASCII digits with optional sign, point and exponent; nothing around them.
    name : str
        What the number is called in a refusal.
    low, high : float, optional
        Inclusive range.

    Raises
    ------
    BadNumber
        Not a number, not finite, or outside the range.

    Examples
    --------
    >>> parse_number("-1.5e3")
    -1500.0
    """
    if len(text) > _LONGEST_NUMBER or _NUMBER.fullmatch(text) is None:
        raise BadNumber(name=name, value=shown(text), expected="decimal")
    value = float(text) + 0.0  # -0.0 becomes 0.0
    if not math.isfinite(value) or not _within(value, low, high):
        raise BadNumber(name=name, value=shown(text), expected=_range(low, high))
    return value


def parse_integer(text: str, *, name: str = "number", low: int | None = None, high: int | None = None) -> int:
    """The whole number written in `text`, at most 19 ASCII digits, within the inclusive range.

    Raises
    ------
    BadNumber
        Not a whole number, too long, or outside the range.
    """
    if _INTEGER.fullmatch(text) is None:
        raise BadNumber(name=name, value=shown(text), expected="integer")
    value = int(text)
    if not _within(value, low, high):
        raise BadNumber(name=name, value=shown(text), expected=_range(low, high))
    return value


def parse_bbox(text: str, *, wrap: bool = False) -> BBox:
    """The box written as four numbers, or six (the two heights are left out).

    Parameters
    ----------
    text : str
        Comma-separated numbers.
    wrap : bool
        True for longitude and latitude: xmin > xmax is kept and means a box across the antimeridian.

    Raises
    ------
    BadBBox
        Another count, a part that is no finite number, or min > max.
    """
    if len(text) > _LONGEST_BBOX:
        raise BadBBox(value=shown(text), reason="too long")
    parts = text.split(",")
    if len(parts) not in {4, 6}:
        raise BadBBox(value=shown(text), reason=f"{len(parts)} parts")
    try:
        numbers = [parse_number(part, name="bbox", low=-_FARTHEST, high=_FARTHEST) for part in parts]
    except BadNumber as refusal:
        raise BadBBox(value=shown(text), reason=f"'{refusal.facts['value']}'") from None
    half = len(numbers) // 2
    box = BBox(numbers[0], numbers[1], numbers[half], numbers[half + 1])
    if box.ymin > box.ymax or (box.xmin > box.xmax and not wrap):
        raise BadBBox(value=shown(text), reason="min > max")
    if half == 3 and numbers[2] > numbers[5]:
        raise BadBBox(value=shown(text), reason="min > max")
    return box


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    return f"{'-∞' if low is None else low} … {'∞' if high is None else high}"
