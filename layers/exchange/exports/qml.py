"""The style of a layer as QGIS writes it (QML): one symbol, one for each class of a field, or rules."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

from layers.catalogue import LayerInfo
from layers.styles.conditions import Condition
from layers.styles.model import Categorised, Fill, Hatch, Line, Marker, Rule, Symbol, rules_of
from layers.styles.showing import shown_style
from spatial.validity import Family

_PIXELS_PER_MM = 1 / 0.28  # OGC 05-078r4: the standardised rendering pixel
_KINDS = {Family.POINT: ("marker", 0), Family.LINE: ("line", 1), Family.POLYGON: ("fill", 2)}
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_HATCHES = {
    "diagonal": "b_diagonal",
    "back_diagonal": "f_diagonal",
    "horizontal": "horizontal",
    "vertical": "vertical",
    "cross": "cross",
    "diagonal_cross": "diagonal_x",
    "dots": "dense6",
}
_SHAPES = {"cross": "cross_fill"}  # the others are called alike


def qml_of(layer: LayerInfo, visible: list[str]) -> str:
    """The layer's style.

    Parameters
    ----------
    visible
        The fields that the file holds: a style that speaks of another is not told.
    """
    root = ET.Element("qgis", version="3.34.0", styleCategories="Symbology|Labeling|Fields")
    style = shown_style(layer.style, layer.family, visible)
    rules = [rule for rule in rules_of(style) if rule.symbols]
    scaled = any(rule.min_scale or rule.max_scale for rule in rules)
    if isinstance(style, Categorised) and not scaled:
        renderer = ET.SubElement(
            root, "renderer-v2", type="categorizedSymbol", attr=style.field, enableorderby="0"
        )
        _categories(renderer, rules)
    elif len(rules) == 1 and rules[0].where is None and not scaled:
        renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol", enableorderby="0")
    else:
        renderer = ET.SubElement(root, "renderer-v2", type="RuleRenderer", enableorderby="0")
        _rules(renderer, rules)
    symbols = ET.SubElement(renderer, "symbols")
    for number, rule in enumerate(rules):
        _symbol(symbols, str(number), layer.family, rule.symbols)
    _aliases(root, layer, visible)
    ET.SubElement(root, "layerGeometryType").text = str(_KINDS[layer.family][1])
    ET.indent(root)
    return _DOCTYPE + ET.tostring(root, encoding="unicode")


def _categories(renderer: ET.Element, rules: list[Rule]) -> None:
    """A category for each value; the one without a value is for all others."""
    found = ET.SubElement(renderer, "categories")
    for number, rule in enumerate(rules):
        for value in _values(rule):
            label = f"{value} {rule.title_zh or rule.title_en}".strip()
            told = {"value": value, "symbol": str(number), "label": label, "render": "true", "type": "string"}
            ET.SubElement(found, "category", told)


def _values(rule: Rule) -> list[str]:
    if rule.where is None:
        return [""]
    given = rule.where[2]
    return [str(one) for one in (given if isinstance(given, list) else [given])]


def _rules(renderer: ET.Element, rules: list[Rule]) -> None:
    found = ET.SubElement(renderer, "rules", key="root")
    for number, rule in enumerate(rules):
        told = {"symbol": str(number), "key": f"rule-{number}", "label": rule.title_zh or rule.title_en}
        if rule.otherwise:
            told["filter"] = "ELSE"
        elif rule.where is not None:
            told["filter"] = expression(rule.where)
        # QGIS calls the denominators by what is seen: the smallest scale has the largest number.
        for name, scale in (("scalemindenom", rule.min_scale), ("scalemaxdenom", rule.max_scale)):
            if scale is not None:
                told[name] = f"{scale:.10g}"
        ET.SubElement(found, "rule", told)


def expression(condition: Condition) -> str:
    """A condition as QGIS writes it."""
    operator, *rest = condition
    if operator in {"all", "any"}:
        return (" AND " if operator == "all" else " OR ").join(f"({expression(one)})" for one in rest)
    if operator == "not":
        return f"NOT coalesce({expression(rest[0])}, false)"
    column = '"' + rest[0].replace('"', '""') + '"'
    if operator == "null":
        return f"{column} IS NULL"
    if operator == "in":
        return f"{column} IN ({', '.join(map(_literal, rest[1]))})"
    sign = {"==": "=", "!=": "<>"}.get(operator, operator)
    return f"{column} {sign} {_literal(rest[1])}"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _symbol(symbols: ET.Element, name: str, family: Family, parts: Iterable[Symbol]) -> None:
    symbol = ET.SubElement(
        symbols, "symbol", type=_KINDS[family][0], name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    for part in parts:
        for drawn, told in _layers(part):
            made = ET.SubElement(
                symbol, "layer", {"class": drawn, "enabled": "1", "locked": "0", "pass": "0"}
            )
            options = ET.SubElement(made, "Option", type="Map")
            for key, value in told.items():
                ET.SubElement(options, "Option", name=key, value=value, type="QString")


def _layers(part: Symbol) -> list[tuple[str, dict[str, str]]]:
    """What QGIS draws a symbol with, the lowest first."""
    if isinstance(part, Fill):
        return [("SimpleFill", {"color": _rgba(part.color), "style": "solid", "outline_style": "no"})]
    if isinstance(part, Hatch):
        return [
            (
                "SimpleFill",
                {"color": _rgba(part.color), "style": _HATCHES[part.pattern], "outline_style": "no"},
            )
        ]
    if isinstance(part, Marker):
        return [("SimpleMarker", _marker(part))]
    casing = [_line(part, part.casing, part.width + 2 * part.casing_width)] if part.casing else []
    dash = {
        "use_customdash": "1",
        "customdash": ";".join(_mm(one) for one in part.dash),
        "customdash_unit": "MM",
    }
    name, told = _line(part, part.color, part.width)
    return [*casing, (name, {**told, **(dash if part.dash else {})})]


def _line(part: Line, colour: str, width: float) -> tuple[str, dict[str, str]]:
    told = {
        "line_color": _rgba(colour),
        "line_width": _mm(width),
        "line_width_unit": "MM",
        "line_style": "solid",
    }
    cap = "flat" if part.cap == "butt" else part.cap
    return "SimpleLine", {**told, "capstyle": cap, "joinstyle": part.join}


def _marker(part: Marker) -> dict[str, str]:
    return {
        "name": _SHAPES.get(part.shape, part.shape),
        "color": _rgba(part.fill),
        "outline_color": _rgba(part.stroke),
        "outline_width": _mm(part.stroke_width),
        "outline_width_unit": "MM",
        "outline_style": "solid",
        "size": _mm(part.size),
        "size_unit": "MM",
    }


def _mm(pixels: float) -> str:
    return f"{pixels / _PIXELS_PER_MM:.3f}"


def _rgba(colour: str) -> str:
    """'r,g,b,a' of #rrggbb or #rrggbbaa."""
    return ",".join(str(part) for part in (*bytes.fromhex(colour[1:]), 255)[:4])


def _aliases(root: ET.Element, layer: LayerInfo, visible: list[str]) -> None:
    aliases = ET.SubElement(root, "aliases")
    for number, one in enumerate(one for one in layer.fields if one.name in visible):
        ET.SubElement(aliases, "alias", name=one.alias_zh, field=one.name, index=str(number))
