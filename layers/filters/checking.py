"""A filter against the dictionary of one caller: every name looked up, every operand of a type that fits.

Nothing of this asks the database. Names come from the scope alone, so a hidden field is as unknown as a missing one.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import shapely
from shapely.geometry.base import BaseGeometry

from layers.filters.instants import day_of, instant_of
from layers.filters.operators import COMPARISONS, FOLDING, SPATIAL, TEMPORAL, TEMPORAL_INTERVALS
from layers.filters.refusals import FilterSyntax, FilterTooLarge, FilterType
from layers.filters.tree import Call, Literal, Node, Property, Shape, Unbounded
from layers.rights import Scope
from spatial.numbers import BBox

MOST_PATTERN = 256
MOST_WILDCARDS = 4
_MARKS = re.compile("[\u0300-\u036f]")  # as layers.filters.compiling takes them off
_GROUPS = {
    "text": "text",
    "integer": "number",
    "real": "number",
    "date": "time",
    "datetime": "time",
    "boolean": "boolean",
}
_TYPES_ZH = {"text": "文本", "number": "数", "time": "日期或时间", "boolean": "布尔值", "geometry": "几何"}


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a filter that is known to make sense.

    `op` is an operator of the tree, or one of: column (value: FieldInfo), geom, valid_from, valid_to,
    last_valid_day, value, list (values of one type), shape (WKB in the storage CRS), unbounded,
    day (the city's day of an instant).
    """

    op: str
    type: str
    args: tuple["Term", ...] = ()
    value: Any = None


def check(tree: Node, scope: Scope, to_storage: Callable[[BaseGeometry | BBox], bytes]) -> Term:
    """The tree as a condition on the rows that a scope shows.

    Parameters
    ----------
    to_storage
        Brings a geometry or box from the filter's coordinate system and axis order into the storage CRS, as WKB.

    Raises
    ------
    layers.rights.FieldNotFound
        A name is not among the fields the caller may see.
    FilterType, FilterSyntax, FilterTooLarge
    """
    return _Checker(scope, to_storage).condition(tree)


def _wrong(at: str, found: str, expected: str, expected_zh: str) -> NoReturn:
    raise FilterType(at=at or "/", found=found, expected=expected, expected_zh=expected_zh)


@dataclass(frozen=True)
class _Checker:
    scope: Scope
    to_storage: Callable[[BaseGeometry | BBox], bytes]

    def condition(self, node: Node) -> Term:
        if not isinstance(node, Call):
            found = self.scalar(node)
            if found.type != "boolean":
                _wrong(node.at, found.type, "a condition", "条件")
            return found
        if node.op in {"and", "or", "not"}:
            return Term(node.op, "boolean", tuple(self.condition(one) for one in node.args))
        readers: dict[str, Callable[[Call], Term]] = {
            "like": self.like,
            "between": self.between,
            "in": self.in_list,
            "isNull": self.is_null,
            **dict.fromkeys(COMPARISONS, self.comparison),
            **dict.fromkeys(SPATIAL, self.spatial),
            **dict.fromkeys(TEMPORAL, self.temporal),
        }
        if node.op not in readers:
            _wrong(node.at, node.op, "a condition", "条件")
        return readers[node.op](node)

    def scalar(self, node: Node) -> Term:
        if isinstance(node, Property):
            return self.property(node)
        if isinstance(node, Literal):
            names = {"str": "text", "bool": "boolean", "int": "integer", "float": "real"}
            kind = type(node.value).__name__
            return Term("value", names.get(kind, kind), value=node.value)
        if isinstance(node, Call) and node.op in FOLDING:
            inner = self.scalar(node.args[0])
            if inner.type != "text":
                _wrong(node.args[0].at, inner.type, "a text", "文本")
            return Term(node.op, "text", (inner,))
        name = node.op if isinstance(node, Call) else "geometry"
        return _wrong(node.at, name, "a property or a literal", "属性或常量")

    def property(self, node: Property) -> Term:
        layer, name = self.scope.layer, node.name
        if name not in {one.field.name for one in self.scope.fields}:
            if name == "geometry" and not layer.is_table:
                return Term("geom", "geometry")
            if layer.valid_time and name in {"valid_from", "valid_to"}:
                return Term(name, "date")
        field = self.scope.field(name)
        return Term("column", field.type, value=field)

    def comparison(self, node: Call) -> Term:
        left, right = self.pair(node.args[0], node.args[1])
        return Term(node.op, "boolean", (left, right))

    def pair(self, one: Node, other: Node) -> tuple[Term, Term]:
        """Two operands brought to types that compare."""
        left, right = self.scalar(one), self.scalar(other)
        left, right = _as_time(left, right, one.at), _as_time(right, left, other.at)
        group = _GROUPS.get(left.type)
        if group is None or group != _GROUPS.get(right.type):
            wanted = group or "text"
            _wrong(other.at, right.type, f"a {wanted}, as {left.type}", _TYPES_ZH[wanted])
        return _same_time(left, right)

    def between(self, node: Call) -> Term:
        value, low, high = node.args
        first, second = self.pair(value, low), self.pair(value, high)
        return Term("and", "boolean", (Term(">=", "boolean", first), Term("<=", "boolean", second)))

    def in_list(self, node: Call) -> Term:
        value = self.scalar(node.args[0])
        listed: dict[str, list[Any]] = {}
        tests: list[Term] = []
        for item in node.args[1:]:
            left, right = self.pair(node.args[0], item)
            if right.op == "value" and left == value:
                listed.setdefault(right.type, []).append(right.value)
            else:
                tests.append(Term("=", "boolean", (left, right)))
        for kind, values in sorted(listed.items()):
            tests.append(Term("in", "boolean", (value, Term("list", kind, value=values))))
        return tests[0] if len(tests) == 1 else Term("or", "boolean", tuple(tests))

    def is_null(self, node: Call) -> Term:
        return Term("isNull", "boolean", (self.scalar(node.args[0]),))

    def like(self, node: Call) -> Term:
        value, pattern = self.scalar(node.args[0]), node.args[1]
        if value.type != "text":
            _wrong(node.args[0].at, value.type, "a text", "文本")
        inner = pattern
        while isinstance(inner, Call) and inner.op in FOLDING:
            inner = inner.args[0]
        if not isinstance(inner, Literal) or not isinstance(inner.value, str):
            _wrong(inner.at, "something else", "a pattern in quotes", "引号中的匹配模式")
        _judge_pattern(inner.value, inner.at)
        return Term("like", "boolean", (value, self.scalar(pattern)))

    def spatial(self, node: Call) -> Term:
        return Term(node.op, "boolean", tuple(self.geometry(one, node.op) for one in node.args))

    def geometry(self, node: Node, op: str) -> Term:
        if isinstance(node, Property):
            if node.name == "geometry" and not self.scope.layer.is_table:
                return Term("geom", "geometry")
            _wrong(node.at, self.property(node).type, "geometry or a literal of it", " geometry 或几何常量")
        if not isinstance(node, Shape):
            _wrong(node.at, "something else", "geometry or a literal of it", " geometry 或几何常量")
        shape = node.value
        if isinstance(shape, BaseGeometry) and op not in {"s_intersects", "s_disjoint"}:
            shape = _of_one_dimension(shape, node.at)
        return Term("shape", "geometry", value=self.to_storage(shape))

    def temporal(self, node: Call) -> Term:
        sides = [self.period(one, node.op) for one in node.args]
        if any(one.type == "date" for one in sides):
            sides = [_to_days(one) for one in sides]
        return Term(node.op, "boolean", tuple(sides))

    def period(self, node: Node, op: str) -> Term:
        """An operand of a temporal function as an interval; an instant is one that ends where it begins."""
        if not isinstance(node, Call) or node.op != "interval":
            if op in TEMPORAL_INTERVALS:
                _wrong(node.at, "an instant", "INTERVAL(a,b)", " INTERVAL(a,b)")
            side = self.instant(node)
            return Term("interval", side.type, (side, side))
        start, end = (self.instant(one, side=True) for one in node.args)
        if end.op == "valid_to":
            end = Term("last_valid_day", "date")  # stored half open; no end is open for ever
        if start.type in {"date", "datetime"} and end.type in {"date", "datetime"}:
            start, end = _same_time(start, end)
        if start.op == end.op == "value" and start.value > end.value:
            _wrong(node.at, "an interval that ends before it begins", "the earlier first", "先起后止")
        kind = next((one.type for one in (start, end) if one.op != "unbounded"), "date")
        return Term("interval", kind, (start, end))

    def instant(self, node: Node, *, side: bool = False) -> Term:
        if side and isinstance(node, Unbounded):
            return Term("unbounded", "unbounded")
        found = self.scalar(node) if isinstance(node, Property | Literal) else Term("other", "something else")
        if _GROUPS.get(found.type) != "time":
            _wrong(node.at, found.type, "a date or an instant", "日期或时刻")
        return found


def _as_time(term: Term, other: Term, at: str) -> Term:
    """A text that stands beside a day or instant is read as one."""
    if term.op != "value" or term.type != "text" or _GROUPS.get(other.type) != "time":
        return term
    found = day_of(term.value, at) if len(term.value) <= 10 else instant_of(term.value, at)
    return Term("value", "date" if len(term.value) <= 10 else "datetime", value=found.value)


def _same_time(left: Term, right: Term) -> tuple[Term, Term]:
    """A day and an instant compare as days of the city."""
    if {left.type, right.type} == {"date", "datetime"}:
        return _to_day(left), _to_day(right)
    return left, right


def _to_day(term: Term) -> Term:
    return Term("day", "date", (term,)) if term.type == "datetime" else term


def _to_days(interval: Term) -> Term:
    start, end = map(_to_day, interval.args)
    return Term("interval", "date", (start, end))


def _of_one_dimension(shape: BaseGeometry, at: str) -> BaseGeometry:
    """A collection as one geometry: the relations are defined for parts of one dimension (OGC 06-103r4, 6.1.15)."""
    if shape.geom_type != "GeometryCollection":
        return shape
    if len({int(shapely.get_dimensions(part)) for part in shapely.get_parts(shape)}) > 1:
        _wrong(
            at,
            "a collection of several dimensions",
            "points, lines or areas alone (a mixed collection goes with s_intersects and s_disjoint)",
            "单一维度的几何（混合集合仅用于 s_intersects 与 s_disjoint）",
        )
    return shapely.union_all(shapely.get_parts(shape))


def _judge_pattern(pattern: str, at: str) -> None:
    if len(pattern) > MOST_PATTERN:
        raise FilterTooLarge(what="characters in a pattern", what_zh="模式字符", most=MOST_PATTERN)
    # What takes accents off takes those off that follow a \\: the pattern must hold without them too.
    bare = _MARKS.sub("", unicodedata.normalize("NFD", pattern))
    plain = pattern.replace("\\\\", "")
    if plain.endswith("\\") or bare.replace("\\\\", "").endswith("\\"):
        raise FilterSyntax(
            at=at, found="\\ at the end", expected="a character after \\", expected_zh=" \\ 之后的字符"
        )
    escaped = plain.count("\\%") + plain.count("\\_")
    if plain.count("%") + plain.count("_") - escaped > MOST_WILDCARDS:
        raise FilterTooLarge(what="wildcards in a pattern", what_zh="通配符", most=MOST_WILDCARDS)
