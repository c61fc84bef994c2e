"""A filter as it was written: one small tree, whatever the language.

The operators are named as in CQL2 (OGC 21-065r2), lower case; a reader of another language translates into them.
A node knows how deep and how large it is, and none is made beyond the limits: what reads a tree may recurse.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from layers.filters.refusals import FilterSyntax, FilterTooLarge
from spatial.numbers import BBox

MOST_CHARACTERS = 65_536
MOST_DEPTH = 32
MOST_NODES = 5_000
MOST_VERTICES = 10_000  # of all geometries of a filter together
MOST_LISTED = 1_000
_FARTHEST = 1e9  # no accepted coordinate system has coordinates beyond 46,000,000
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Property:
    """The name of a property, not yet looked up."""

    name: str
    at: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, truth value, date or instant (with its offset)."""

    value: str | int | float | bool | date | datetime
    at: str


@dataclass(frozen=True, slots=True)
class Unbounded:
    """The open side of an interval."""

    at: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A geometry or box in the filter's coordinate system, in the order of its axes."""

    value: BaseGeometry | BBox
    at: str
    vertices: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function over its operands.

    Raises
    ------
    FilterTooLarge
        It is nested too deep, or has too many parts.
    """

    op: str
    args: tuple["Node", ...]
    at: str
    depth: int = field(init=False)
    nodes: int = field(init=False)
    vertices: int = field(init=False)

    def __post_init__(self) -> None:
        calls = [one for one in self.args if isinstance(one, Call)]
        sized = [one for one in self.args if isinstance(one, Call | Shape)]
        facts = {
            "depth": 1 + max((one.depth for one in calls), default=0),
            "nodes": 1 + len(self.args) - len(calls) + sum(one.nodes for one in calls),
            "vertices": sum(one.vertices for one in sized),
        }
        limits = (
            ("depth", MOST_DEPTH, "levels", "层数"),
            ("nodes", MOST_NODES, "parts", "组成部分"),
            ("vertices", MOST_VERTICES, "vertices", "顶点"),
        )
        for name, most, what, what_zh in limits:
            if facts[name] > most:
                raise FilterTooLarge(what=what, what_zh=what_zh, most=most)
            object.__setattr__(self, name, facts[name])


Node = Property | Literal | Unbounded | Shape | Call


def shape_of(found: BaseGeometry, at: str) -> Shape:
    """A geometry as a node.

    Raises
    ------
    FilterSyntax
        It or a part of it is empty or not valid, has coordinates that are not finite, or collects collections.
    FilterTooLarge
        It has too many vertices.
    """
    vertices = int(shapely.get_num_coordinates(found))
    if vertices > MOST_VERTICES:
        raise FilterTooLarge(what="vertices", what_zh="顶点", most=MOST_VERTICES)
    flat = shapely.force_2d(found)
    if not _is_whole(flat) or not all(map(math.isfinite, flat.bounds)) or not shapely.is_valid(flat):
        raise FilterSyntax(
            at=at,
            found=found.geom_type,
            expected="a valid geometry (rings closed, without self-crossing)",
            expected_zh="有效的几何（环闭合、不自相交）",
        )
    return Shape(flat, at, vertices)


def _is_whole(shape: BaseGeometry) -> bool:
    """Whether no part is empty, and no collection is part of another."""
    members = shapely.get_parts(shape)
    if any(one.geom_type == "GeometryCollection" for one in members):
        return False
    parts = shapely.get_parts(members)
    return bool(len(members) and len(parts)) and not shapely.is_empty([*members, *parts]).any()


def box_of(numbers: Sequence[Any], at: str) -> Shape:
    """A box out of its four numbers, or six (the heights are left out), as a node.

    Raises
    ------
    FilterSyntax
        Another count, no finite numbers, or an upper side below its lower one (the first may be: a box over the
        antimeridian).
    """
    fit = len(numbers) in {4, 6} and all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= _FARTHEST
        for one in numbers
    )
    if fit:
        half = len(numbers) // 2
        found = BBox(*(float(numbers[place]) for place in (0, 1, half, half + 1)))
        if found.ymin <= found.ymax:
            return Shape(found, at, 4)
    raise FilterSyntax(
        at=at,
        found="a box",
        expected="BBOX(xmin,ymin,xmax,ymax) in numbers, the smaller first",
        expected_zh=" BBOX(xmin,ymin,xmax,ymax)，由小到大的数",
    )


def text_of(value: str, at: str) -> Literal:
    """A text as a node.

    Raises
    ------
    FilterSyntax
        It holds what no text in the database can hold.
    """
    if "\x00" in value or any("\ud800" <= mark <= "\udfff" for mark in value):
        raise FilterSyntax(
            at=at, found="NUL", expected="text without NUL or lone surrogates", expected_zh="不含 NUL 的文本"
        )
    return Literal(value, at)


def number_of(value: float, at: str) -> Literal:
    """A number as a node; whole ones as far as a field can hold them.

    Raises
    ------
    FilterSyntax
        Not finite, or a whole number beyond 64 bits.
    """
    fit = SMALLEST_INTEGER <= value <= LARGEST_INTEGER if isinstance(value, int) else math.isfinite(value)
    if not fit:
        raise FilterSyntax(
            at=at,
            found="a number",
            expected="a finite number, whole ones within 64 bits",
            expected_zh="有限的数（整数不超过 64 位）",
        )
    return Literal(value, at)
