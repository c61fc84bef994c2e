"""CQL2 text (OGC 21-065r2) into a tree."""

from pathlib import Path
from typing import NoReturn, cast

import shapely
from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from layers.filters.instants import day_of, instant_of, side_of
from layers.filters.operators import call
from layers.filters.refusals import FilterSyntax, FilterTooLarge
from layers.filters.tree import (
    MOST_CHARACTERS,
    MOST_LISTED,
    Literal,
    Node,
    Property,
    Shape,
    box_of,
    number_of,
    shape_of,
    text_of,
)
from spatial.numbers import BadNumber, parse_integer, parse_number, shown

_VALUE = ("a property, a literal or a function", "属性、常量或函数")
_WORDS = {
    "COMPARISON": "= <> < > <= >=",
    "_LIKE": "LIKE",
    "_BETWEEN": "BETWEEN",
    "_IN": "IN",
    "_IS": "IS",
    "_NULL": "NULL",
    "_AND": "AND",
    "_OR": "OR",
    "_NOT": "NOT",
    "_OPEN": "(",
    "_CLOSE": ")",
    "_COMMA": ",",
}


def parse(text: str) -> Node:
    """The tree of a filter.

    Raises
    ------
    FilterSyntax
        `at` is the number of the character, the first being 1.
    FilterTooLarge, UnknownFunction
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterTooLarge(what="characters", what_zh="字符", most=MOST_CHARACTERS)
    try:
        return cast(Node, _PARSER.parse(text))  # the transformer leaves no tree of lark's
    except UnexpectedInput as fault:
        _refuse(fault, text)


def _refuse(fault: UnexpectedInput, text: str) -> NoReturn:
    place = len(text)
    names: set[str] = set()
    if isinstance(fault, UnexpectedToken):
        names = set(fault.accepts or fault.expected)
        place = len(text) if fault.token.type == "$END" else fault.token.start_pos or 0
    elif isinstance(fault, UnexpectedCharacters):
        names, place = set(fault.allowed or ()), fault.pos_in_stream or 0
    words = [word for name, word in _WORDS.items() if name in names]
    expected, expected_zh = _VALUE if "IDENTIFIER" in names else (", ".join(words), "、".join(words))
    raise FilterSyntax(
        at=str(place + 1),
        found=f"'{shown(text[place : place + 20])}'" if place < len(text) else "the end",
        expected=expected or "the end",
        expected_zh=expected_zh or "结尾",
    )


def _at(token: Token) -> str:
    return str((token.start_pos or 0) + 1)


@v_args(inline=True)
class _Reader(Transformer[Token, Node]):
    """Makes nodes while the parser reads: what is too deep or too long ends the reading."""

    def any_of(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else call("or", parts, parts[0].at)

    def all_of(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else call("and", parts, parts[0].at)

    def negation(self, part: Node) -> Node:
        return call("not", (part,), part.at)

    def comparison(self, left: Node, op: Token, right: Node) -> Node:
        return call(str(op), (left, right), _at(op))

    def like(self, value: Node, pattern: Node) -> Node:
        return call("like", (value, pattern), value.at)

    def not_like(self, value: Node, pattern: Node) -> Node:
        return self.negation(self.like(value, pattern))

    def between(self, value: Node, low: Node, high: Node) -> Node:
        return call("between", (value, low, high), value.at)

    def not_between(self, value: Node, low: Node, high: Node) -> Node:
        return self.negation(self.between(value, low, high))

    def in_list(self, value: Node, *listed: Node) -> Node:
        if len(listed) > MOST_LISTED:
            raise FilterTooLarge(what="values in a list", what_zh="列表值", most=MOST_LISTED)
        return call("in", (value, *listed), value.at)

    def not_in_list(self, value: Node, *listed: Node) -> Node:
        return self.negation(self.in_list(value, *listed))

    def is_null(self, value: Node) -> Node:
        return call("isNull", (value,), value.at)

    def is_not_null(self, value: Node) -> Node:
        return self.negation(self.is_null(value))

    def named(self, name: Token) -> Node:
        return Property(str(name), _at(name))

    def quoted(self, name: Token) -> Node:
        return Property(name[1:-1].replace('""', '"'), _at(name))

    def text(self, token: Token) -> Node:
        return text_of(token[1:-1].replace("''", "'"), _at(token))

    def number(self, token: Token) -> Node:
        return _number(token)

    def true(self, token: Token) -> Node:
        return Literal(True, _at(token))

    def false(self, token: Token) -> Node:
        return Literal(False, _at(token))

    def geometry(self, token: Token) -> Node:
        return _geometry(token)

    def function(self, name: Token, *args: Node) -> Node:
        return _function(str(name).lower(), args, _at(name))


def _number(token: Token) -> Literal:
    whole = token.lstrip("+-").isdigit()
    try:
        return number_of(parse_integer(token) if whole else parse_number(token), _at(token))
    except BadNumber:
        return number_of(float("nan"), _at(token))


def _geometry(token: Token) -> Shape:
    try:
        return shape_of(shapely.from_wkt(str(token)), _at(token))
    except (shapely.errors.GEOSException, shapely.errors.ShapelyError) as fault:
        raise FilterSyntax(
            at=_at(token),
            found=shown(token),
            expected="a geometry in well-known text",
            expected_zh="WKT 几何",
        ) from fault


def _function(name: str, args: tuple[Node, ...], at: str) -> Node:
    if name == "bbox":
        return _box(args, at)
    if name == "interval":
        sides = [
            side_of(one.value, one.at) if isinstance(one, Literal) and isinstance(one.value, str) else one
            for one in args
        ]
        return call(name, tuple(sides), at)
    if name in {"date", "timestamp"}:
        text = args[0].value if len(args) == 1 and isinstance(args[0], Literal) else ""
        reader = day_of if name == "date" else instant_of
        return reader(text if isinstance(text, str) else "", at)
    return call(name, args, at)


def _box(args: tuple[Node, ...], at: str) -> Shape:
    return box_of([one.value if isinstance(one, Literal) else None for one in args], at)


_PARSER = Lark(
    Path(__file__).with_suffix(".lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="basic",  # a keyword is one everywhere: a property of that name is written in quotes
    maybe_placeholders=False,
    transformer=_Reader(),
)
