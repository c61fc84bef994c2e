"""What a request of OGC API Features asks: every parameter read once, strictly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from django.http import HttpRequest, QueryDict

from layers.catalogue import FieldInfo
from layers.filters import Condition, equal
from layers.filters.sorting import Place, SortKey
from layers.moments import Moment, parse_moment
from layers.ogc import axes
from layers.ogc.features_api.choosing import parse_condition, parse_properties, parse_sort
from layers.rights import FieldScope, Scope
from spatial.crs import CRS84, Crs
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer, parse_number

DEFAULT_LIMIT = 100
MOST_LIMIT = 10_000
FIXED = {"limit", "bbox", "bbox-crs", "crs", "datetime", "as-of", "changeset", "next"}
FIXED |= {"filter", "filter-lang", "filter-crs", "sortby", "properties"}
JSON_TYPES = ("application/json", "application/geo+json", "application/*", "*/*", "application/schema+json")


class UnknownParameter(OnemapError):
    """A parameter that no part of the service knows."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "unknown-parameter"
    message: ClassVar = "there is no parameter {parameter}"
    message_zh: ClassVar = "没有参数 {parameter}"


class RepeatedParameter(OnemapError):
    """A parameter given twice; which one would count cannot be told."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "repeated-parameter"
    message: ClassVar = "parameter {parameter} is given more than once"
    message_zh: ClassVar = "参数 {parameter} 重复"


class BadValue(OnemapError):
    """A value that its field cannot have."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-value"
    message: ClassVar = "{field} is {type}: give {forms}"
    message_zh: ClassVar = "{field} 的类型为 {type}，请给出 {forms}"


class BadFormat(OnemapError):
    """A format that is not offered."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-format"
    message: ClassVar = "this answer is offered as {offered}"
    message_zh: ClassVar = "可用格式：{offered}"


class NotAcceptable(OnemapError):
    """The Accept header allows nothing that is offered."""

    kind: ClassVar = Kind.NOT_ACCEPTABLE
    code: ClassVar = "not-acceptable"
    message: ClassVar = "this answer is offered as {offered}"
    message_zh: ClassVar = "可用格式：{offered}"


@dataclass(frozen=True)
class ItemsQuery:
    """A question for items of a collection."""

    limit: int
    crs: Crs
    box: bytes | None  # WKB in the storage CRS
    nowhere: bool  # a box was given that nothing stored can touch
    moment: Moment
    condition: Condition = field(
        default_factory=Condition
    )  # of `filter` and of properties given as parameters
    sort: tuple[SortKey, ...] = ()
    shown: tuple[FieldScope, ...] | None = None  # None: all fields
    after: Place | None = None  # where the page before ended


def single(query: QueryDict) -> dict[str, str]:
    """The parameters as a plain dictionary.

    Raises
    ------
    RepeatedParameter
        One is given twice.
    """
    for name, values in query.lists():
        if len(values) > 1:
            raise RepeatedParameter(parameter=name)
    return {name: values[0] for name, values in query.lists()}


def known_only(given: Mapping[str, str], known: set[str]) -> None:
    """Refuse what is not known (`f` and `lang` always are).

    Raises
    ------
    UnknownParameter
        Naming the first such parameter.
    """
    for name in given:
        if name not in known and name not in {"f", "lang"}:
            raise UnknownParameter(parameter=name)


def negotiated(request: HttpRequest, offered: tuple[str, ...] = ("json", "html")) -> str:
    """'json' or 'html': by `f=`, else by Accept, else JSON.

    Raises
    ------
    BadFormat
        `f=` names something else.
    NotAcceptable
        Accept allows none of them.
    """
    asked = request.GET.get("f")
    if asked is not None:
        if asked not in offered:
            raise BadFormat(offered=", ".join(offered))
        return asked
    accept = request.headers.get("Accept", "*/*") or "*/*"
    for media in _by_preference(accept):
        if media in {"text/html", "application/xhtml+xml", "text/*"} and "html" in offered:
            return "html"
        if media in JSON_TYPES or (media.startswith("application/") and media.endswith("+json")):
            return "json"
    raise NotAcceptable(offered=", ".join(offered))


def _by_preference(accept: str) -> list[str]:
    weighted = []
    for number, part in enumerate(accept.split(",")[:50]):
        media, _, rest = part.strip().partition(";")
        quality = 1.0
        for parameter in rest.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q" and value.replace(".", "", 1).isdigit() and value.isascii():
                quality = parse_number(value[:9], name="q")
        if quality > 0:
            weighted.append((-quality, number, media.strip().lower()))
    return [media for _, _, media in sorted(weighted)]


def parse_limit(text: str | None) -> int:
    """`limit`: at least 1; above the most it is cut, as the standard allows."""
    if text is None:
        return DEFAULT_LIMIT
    return min(parse_integer(text, name="limit", low=1), MOST_LIMIT)


def parse_items(scope: Scope, given: Mapping[str, str]) -> ItemsQuery:
    """Read the parameters of `/items` (all but `next` and `f`).

    Raises
    ------
    UnknownParameter, BadValue
        And whatever the parsers of numbers, boxes, times and coordinate systems refuse.
    """
    names = {one.field.name for one in scope.fields}
    known_only(given, FIXED | names)
    crs = axes.output_crs(given.get("crs"))
    box_crs = axes.output_crs(given.get("bbox-crs")) if "bbox-crs" in given else CRS84
    box = (
        axes.box_to_storage(axes.box_from_text(given["bbox"], box_crs), box_crs) if "bbox" in given else None
    )
    equals = tuple(
        equal(scope.field(name), typed(scope.field(name), text))
        for name, text in given.items()
        if name in names and name not in FIXED
    )
    return ItemsQuery(
        limit=parse_limit(given.get("limit")),
        crs=crs,
        box=box,
        nowhere="bbox" in given and box is None,
        moment=parse_moment(scope.layer, given.get("as-of"), given.get("datetime")),
        condition=parse_condition(scope, given, equals),
        sort=parse_sort(scope, given.get("sortby")),
        shown=parse_properties(scope, given.get("properties")),
    )


def typed(info: FieldInfo, text: str) -> Any:
    """A value of a field out of a parameter's text.

    Raises
    ------
    BadValue
        The text is no value of the field's type.
    """
    if "\x00" in text:
        raise BadValue(field=info.name, type=info.type, forms="text without NUL")
    readers: dict[str, Callable[[str], Any]] = {
        "text": str,
        "integer": _integer,
        "real": parse_number,
        "date": date.fromisoformat,
        "datetime": _datetime,
        "boolean": _boolean,
    }
    try:
        return readers[info.type](text)
    except (ValueError, OnemapError) as error:
        forms = {
            "integer": "12",
            "real": "1.5",
            "date": "2026-01-31",
            "datetime": "2026-01-31T12:00:00Z",
            "boolean": "true, false",
        }
        raise BadValue(field=info.name, type=info.type, forms=forms[info.type]) from error


def _integer(text: str) -> int:
    return parse_integer(text, name="value", low=-(2**63), high=2**63 - 1)


def _datetime(text: str) -> datetime:
    if not text.isascii():
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"
