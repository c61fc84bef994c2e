"""Styles as the catalogue keeps them, read into the model."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from layers.styles.model import (
    Categorised,
    Class,
    Fill,
    Graduated,
    Line,
    Marker,
    Other,
    Ruled,
    Single,
    Style,
    Symbol,
)
from layers.styles.refusals import StyleRefused
from spatial.validity import Family

AnyStyle = Single | Categorised | Graduated | Ruled
DEFAULT_FILL = "#e3e8ee"
DEFAULT_STROKE = "#5f6e7e"

_ADAPTER: TypeAdapter[AnyStyle] = TypeAdapter(Style)


def read_style(given: Mapping[str, Any], family: Family) -> AnyStyle:
    """A style out of its JSON: the model's own form, or the short one (fill, stroke, width, radius, categories).

    Raises
    ------
    StyleRefused
    """
    if "kind" not in given:
        return _from_short(given, family)
    try:
        return _ADAPTER.validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise StyleRefused(where=".".join(map(str, first["loc"])) or "style", what=first["msg"]) from error


def schema() -> dict[str, Any]:
    """The JSON schema of a style, for editors and other programs."""
    return _ADAPTER.json_schema()


def _from_short(given: Mapping[str, Any], family: Family) -> AnyStyle:
    try:
        plain = _symbols(given, family)
        told = given.get("categories")
        if not told:
            return Single(symbols=plain)
        classes = tuple(
            Class(
                values=(code,),
                title_zh=looks.get("label_zh", ""),
                title_en=looks.get("label_en", ""),
                symbols=_symbols({**given, **looks}, family, lined=looks),
            )
            for code, looks in _in_order(told["values"])
        )
        return Categorised(field=told["field"], classes=classes, other=Other(symbols=plain))
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        raise StyleRefused(where="style", what="fill, stroke, width, radius, categories, or kind") from error


def _symbols(
    looks: Mapping[str, Any], family: Family, lined: Mapping[str, Any] | None = None
) -> tuple[Symbol, ...]:
    fill, stroke = looks.get("fill", DEFAULT_FILL), looks.get("stroke", DEFAULT_STROKE)
    width = looks.get("width", 1)
    if family is Family.LINE:
        # A class of lines may tell its one colour as fill.
        colour = stroke if lined is None else lined.get("stroke", lined["fill"])
        return (Line(color=colour, width=width),)
    if family is Family.POINT:
        return (Marker(size=2 * looks.get("radius", 4), fill=fill, stroke=stroke, stroke_width=width),)
    return (Fill(color=fill), Line(color=stroke, width=width))


def _in_order(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Kept as JSON, keys that look like numbers lost their order: all-digit codes are put in order again."""
    entries = list(values.items())
    return sorted(entries) if all(code.isdigit() for code, _ in entries) else entries
