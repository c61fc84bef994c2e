"""CQL2 JSON (OGC 21-065r2) into a tree."""

import json
from typing import Any, NoReturn

import shapely

from layers.filters.instants import day_of, instant_of, side_of
from layers.filters.operators import call
from layers.filters.refusals import FilterSyntax, FilterTooLarge
from layers.filters.tree import (
    MOST_CHARACTERS,
    MOST_DEPTH,
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
from spatial import strictjson

_JSON_DEPTH = 3 * MOST_DEPTH  # an operator is an object and a list; a geometry adds some
_GEOMETRIES = {
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
}


def parse(text: str) -> Node:
    """The tree of a filter.

    Raises
    ------
    FilterSyntax
        `at` is a JSON pointer.
    FilterTooLarge, UnknownFunction
    strictjson.BadJson
        The text is no JSON.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterTooLarge(what="characters", what_zh="字符", most=MOST_CHARACTERS)
    return _node(strictjson.loads(text, max_bytes=4 * MOST_CHARACTERS, max_depth=_JSON_DEPTH), "")


def _refuse(at: str, expected: str, expected_zh: str) -> NoReturn:
    raise FilterSyntax(at=at or "/", found="something else", expected=expected, expected_zh=expected_zh)


def _node(value: Any, at: str) -> Node:
    if isinstance(value, bool):
        return Literal(value, at)
    if isinstance(value, int | float):
        return number_of(value, at)
    if isinstance(value, str):
        return text_of(value, at)
    if not isinstance(value, dict):
        _refuse(at, "an object, a text, a number, true or false", "对象、文本、数或布尔值")
    return _call(value, at) if "op" in value else _leaf(value, at)


def _leaf(value: dict[str, Any], at: str) -> Node:
    if value.get("type") in _GEOMETRIES:
        return _geometry(value, at)
    readers = {
        "property": _property,
        "date": _day,
        "timestamp": _instant,
        "bbox": _box,
        "interval": _interval,
    }
    if len(value) == 1:
        name, inner = next(iter(value.items()))
        if name in readers:
            return readers[name](inner, f"{at}/{name}")
    _refuse(
        at,
        "op with args, property, date, timestamp, interval, bbox or a geometry",
        " op、property 或几何等对象",
    )


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str):
        _refuse(at, "a text", "文本")
    return value


def _property(value: Any, at: str) -> Node:
    return Property(_text(value, at), at)


def _day(value: Any, at: str) -> Node:
    return day_of(_text(value, at), at)


def _instant(value: Any, at: str) -> Node:
    return instant_of(_text(value, at), at)


def _box(value: Any, at: str) -> Node:
    return box_of(value if isinstance(value, list) else [], at)


def _interval(value: Any, at: str) -> Node:
    if not isinstance(value, list):
        _refuse(at, "a list of two instants", "两个时刻的列表")
    sides = [
        side_of(one, f"{at}/{number}") if isinstance(one, str) else _node(one, f"{at}/{number}")
        for number, one in enumerate(value)
    ]
    return call("interval", tuple(sides), at)


def _geometry(value: dict[str, Any], at: str) -> Shape:
    # GEOS's reader takes what GeoJSON has and nothing else; it opens nothing.
    plain = {name: value[name] for name in ("type", "coordinates", "geometries") if name in value}
    try:
        return shape_of(shapely.from_geojson(json.dumps(plain)), at)
    except (shapely.errors.GEOSException, shapely.errors.ShapelyError) as fault:
        raise FilterSyntax(
            at=at or "/", found="something else", expected="a GeoJSON geometry", expected_zh=" GeoJSON 几何"
        ) from fault


def _call(value: dict[str, Any], at: str) -> Node:
    op, args = value["op"], value.get("args")
    if set(value) != {"op", "args"} or not isinstance(op, str) or not isinstance(args, list):
        _refuse(at, "op and a list args, nothing else", "仅含 op 与列表 args")
    if op == "in":
        if len(args) != 2 or not isinstance(args[1], list) or not args[1]:
            _refuse(f"{at}/args", "a value and a list of values", "一个值与一个值列表")
        return _in(args, at)
    if op in {"and", "or"} and len(args) < 2:
        _refuse(f"{at}/args", "two conditions or more", "两个或更多条件")
    return call(op, tuple(_node(one, f"{at}/args/{number}") for number, one in enumerate(args)), at)


def _in(args: list[Any], at: str) -> Node:
    if len(args[1]) > MOST_LISTED:
        raise FilterTooLarge(what="values in a list", what_zh="列表值", most=MOST_LISTED)
    listed = (_node(one, f"{at}/args/1/{number}") for number, one in enumerate(args[1]))
    return call("in", (_node(args[0], f"{at}/args/0"), *listed), at)
