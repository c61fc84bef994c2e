"""Which features, in which order, with which properties: `filter`, `sortby`, `properties`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from layers.filters import Condition, check, compiled, cql2_json, cql2_text
from layers.filters.checking import Term
from layers.filters.sorting import SortKey
from layers.filters.tree import Node
from layers.ogc import axes
from layers.rights import FieldScope, Scope
from spatial.errors import Kind, OnemapError

MOST_KEYS = 5
LANGUAGES: dict[str, Callable[[str], Node]] = {"cql2-text": cql2_text.parse, "cql2-json": cql2_json.parse}


class BadFilterLanguage(OnemapError):
    """A filter language that is not offered."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-filter-lang"
    message: ClassVar = "filter-lang is one of {offered}"
    message_zh: ClassVar = "filter-lang 可用：{offered}"


class NotSortable(OnemapError):
    """A field without an index, a key named twice, or too many of them."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "not-sortable"
    message: ClassVar = "sortby cannot use {field} here; up to {most} different ones of {offered}"
    message_zh: ClassVar = "sortby 不能使用 {field}；可用（至多 {most} 个，不重复）：{offered}"


def parse_condition(scope: Scope, given: Mapping[str, str], also: tuple[Term, ...] = ()) -> Condition:
    """`filter`, `filter-lang`, `filter-crs` as a compiled condition; without a filter it always holds.

    Parameters
    ----------
    also
        Further terms that must hold.

    Raises
    ------
    BadFilterLanguage
    layers.rights.FieldNotFound, layers.filters.refusals.FilterSyntax, FilterType, FilterTooLarge, UnknownFunction
        And what the readers of coordinate systems and JSON refuse.
    """
    language = given.get("filter-lang", "cql2-text")
    crs = axes.output_crs(given.get("filter-crs"))
    if language not in LANGUAGES:
        raise BadFilterLanguage(offered=", ".join(LANGUAGES))
    if "filter" in given:
        tree = LANGUAGES[language](given["filter"])
        also = (*also, check(tree, scope, partial(axes.literal_to_storage, crs=crs)))
    return compiled(Term("and", "boolean", also)) if also else Condition()


def sortables(scope: Scope) -> list[FieldScope]:
    """The fields that can be sorted by; `fid`, too, always can."""
    return [one for one in scope.fields if one.field.indexed]


def parse_sort(scope: Scope, text: str | None) -> tuple[SortKey, ...]:
    """`sortby`: names after + or - (or nothing), separated by commas; `fid` is the feature's id.

    Raises
    ------
    layers.rights.FieldNotFound
        A name is not among the fields the caller may see.
    NotSortable
    """
    if text is None:
        return ()
    keys = [_sort_key(scope, part) for part in text.split(",")]
    names = [key.field.name if key.field else "fid" for key in keys]
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None or len(keys) > MOST_KEYS:
        raise _not_sortable(scope, twice or names[MOST_KEYS])
    return tuple(keys)


def _sort_key(scope: Scope, text: str) -> SortKey:
    # A plus sign in an address is read as a space.
    name = text[1:] if text[:1] in {"+", "-", " "} else text
    if name == "fid":
        return SortKey(None, text.startswith("-"))
    field = scope.field(name)
    if not field.indexed:
        raise _not_sortable(scope, name)
    return SortKey(field, text.startswith("-"))


def _not_sortable(scope: Scope, name: str) -> NotSortable:
    offered = ", ".join(["fid", *(one.field.name for one in sortables(scope))])
    return NotSortable(field=name, most=MOST_KEYS, offered=offered)


def parse_properties(scope: Scope, text: str | None) -> tuple[FieldScope, ...] | None:
    """`properties`: the fields to show, separated by commas; None is all of them.

    Raises
    ------
    layers.rights.FieldNotFound
        A name is not among the fields the caller may see.
    """
    if text is None:
        return None
    wanted = {scope.field(name).name for name in text.split(",")}
    return tuple(one for one in scope.fields if one.field.name in wanted)
