"""Styles as a caller may be shown them, and in the form that programs which draw take them in."""

from collections.abc import Collection, Mapping
from typing import Any

from layers.catalogue import LayerInfo
from layers.styles.conditions import fields_of
from layers.styles.model import Categorised, Graduated, Labels, Rule, Strict, fields_used, rules_of
from layers.styles.reading import AnyStyle, read_style
from layers.styles.refusals import StyleRefused
from spatial.validity import Family


class DrawnStyle(Strict):
    """A style as rules: what the map page, the legend and other programs draw from.

    `field` is the one field whose values the classes stand for, where there is one.
    """

    field: str | None
    rules: tuple[Rule, ...]
    labels: Labels


def shown_style(given: Mapping[str, Any], family: Family, visible: Collection[str]) -> AnyStyle:
    """The style of a layer for a caller who sees these fields: one that speaks of another field would tell its values.

    What is no style of this version is drawn plainly, too.
    """
    try:
        found = read_style(given, family)
    except StyleRefused:
        return read_style({}, family)
    if not fields_used(found) <= set(visible):
        return read_style({}, family)
    if found.labels is not None and found.labels.field not in {None, *visible}:
        return found.model_copy(update={"labels": None})
    return found


def label_field(style: AnyStyle, layer: LayerInfo) -> str:
    """The name of the field whose text is written: what rights judge and what is drawn; "" where there is none."""
    named = (style.labels or Labels()).field or layer.label_field
    return named if named in layer.by_name else ""


def drawn_style(style: AnyStyle) -> DrawnStyle:
    """A style as rules."""
    field = style.field if isinstance(style, Categorised | Graduated) else None
    return DrawnStyle(field=field, rules=rules_of(style), labels=style.labels or Labels())


def drawn_schema() -> dict[str, Any]:
    """The JSON schema of styles as rules, from which the client's types are made."""
    found: dict[str, Any] = _untitled(DrawnStyle.model_json_schema(mode="serialization"))
    return found


def _untitled(part: Any) -> Any:
    """Without the titles of properties: each would become a type of its own."""
    if isinstance(part, list):
        return [_untitled(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _untitled(one) for key, one in part.items()}
    return kept if kept.get("type") == "object" or not isinstance(kept.get("title"), str) else _less(kept)


def _less(part: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in part.items() if key != "title"}


def class_field(given: Mapping[str, Any]) -> str:
    """The field by whose values a kept style tells features apart; "" where it is not one field's values."""
    if given.get("kind") == "categorised":
        return str(given.get("field") or "")
    if given.get("kind") == "rules":
        conditions = [rule["where"] for rule in given.get("rules", ()) if rule.get("where")]
        named = {name for one in conditions for name in fields_of(one)}
        plain = all(one[0] == "in" or (one[0] == "==" and isinstance(one[2], str)) for one in conditions)
        return named.pop() if plain and len(named) == 1 else ""
    return str((given.get("categories") or {}).get("field") or "")
