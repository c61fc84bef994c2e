"""The style model as Mapnik reads it: one layer's styles and its source, as XML.

A layer is drawn in three passes, each a Mapnik style of its own: casings, symbols, labels. Fields go by their
internal names, values as quoted text, so that nothing out of data or style is ever read as an expression.
"""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.styles.conditions import Condition
from layers.styles.model import Fill, Hatch, Labels, Line, Marker, Rule, Symbol
from spatial.validity import Family
from tiles.drawing.patterns import hatch_file, marker_file

FACES = ("Noto Sans CJK SC Regular", "DejaVu Sans Book")
COLLISION_PX = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """One layer as Mapnik XML without the <Map> around it; equal digests draw alike."""

    digest: str
    xml: str


@dataclass(frozen=True, slots=True)
class Look:
    """All that the compiler needs to know of a layer's looks.

    `columns` gives the source's column of each field; `merged` is the column that is null for shapes which stand for
    many features (overviews), "" where there are none.
    """

    family: Family
    rules: tuple[Rule, ...]
    labels: Labels | None
    label_column: str
    columns: Mapping[str, str]
    merged: str = ""


def layer_xml(name: str, look: Look, source: Mapping[str, str], srs: str) -> Drawn:
    """Compile a layer.

    Parameters
    ----------
    name
        Of the layer, unique within a map.
    source
        Parameters of the Mapnik data source.
    srs
        Of the source.
    """
    passes = {
        "casing": [(rule, _casings(rule)) for rule in look.rules],
        "symbol": [(rule, [_symbol(one, look.family) for one in rule.symbols]) for rule in look.rules],
    }
    root = ET.Element("Layer", name=name, srs=srs)
    styles = [
        _style(f"{name}-{key}", look, made) for key, made in passes.items() if any(part for _, part in made)
    ]
    if look.label_column and look.labels is not None:
        styles.append(_label_style(f"{name}-label", look))
    for style in styles:
        ET.SubElement(root, "StyleName").text = style.get("name")
    into = ET.SubElement(root, "Datasource")
    for key, value in source.items():
        ET.SubElement(into, "Parameter", name=key).text = value
    xml = "".join(ET.tostring(one, encoding="unicode") for one in (*styles, root))
    return Drawn(hashlib.sha256(xml.encode()).hexdigest()[:20], xml)


def map_xml(layers: Iterable[Drawn], srs: str) -> str:
    """A whole map of these layers, the first lowest."""
    fonts = "".join(f'<Font face-name="{face}"/>' for face in FACES)
    body = "".join(one.xml for one in layers)
    return f'<Map srs="{srs}"><FontSet name="cjk">{fonts}</FontSet>{body}</Map>'


def _style(name: str, look: Look, made: Sequence[tuple[Rule, list[ET.Element]]]) -> ET.Element:
    style = ET.Element("Style", name=name)
    for rule, symbols in made:
        if not look.merged:
            _rule(style, look, rule, symbols)
            continue
        _rule(style, look, rule, symbols, only=f"[{look.merged}] != null")
        _rule(style, look, rule, _of_merged(rule, look.family) or symbols, only=f"[{look.merged}] = null")
    return style


def _rule(style: ET.Element, look: Look, rule: Rule, symbols: Iterable[ET.Element], only: str = "") -> None:
    made = ET.SubElement(style, "Rule")
    told = [only] if only else []
    if rule.where is not None:
        told.append(expression(rule.where, look.columns))
    if rule.otherwise:
        # Mapnik's own ElseFilter would also fire for the other half of an overview's rules.
        told += [
            f"not ({expression(one.where, look.columns)})" for one in look.rules if one.where is not None
        ]
    if told:
        ET.SubElement(made, "Filter").text = " and ".join(f"({one})" for one in told)
    for tag, scale in (("MinScaleDenominator", rule.min_scale), ("MaxScaleDenominator", rule.max_scale)):
        if scale is not None:
            ET.SubElement(made, tag).text = f"{scale:.10g}"
    made.extend(symbols)


def expression(condition: Condition, columns: Mapping[str, str]) -> str:
    """A condition in Mapnik's expression language; false for every field without a column."""
    operator, *rest = condition
    if operator in {"all", "any"}:
        joint = " and " if operator == "all" else " or "
        return joint.join(f"({expression(one, columns)})" for one in rest)
    if operator == "not":
        return f"not ({expression(rest[0], columns)})"
    column = columns.get(rest[0])
    if column is None:
        return "true" if operator == "null" else "false"
    if operator == "null":
        return f"[{column}] = null"
    if operator == "in":
        return " or ".join(f"([{column}] = {_literal(value)})" for value in rest[1])
    sign = {"==": "=", "!=": "!="}.get(operator, operator)
    return f"([{column}] != null) and ([{column}] {sign} {_literal(rest[1])})"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _colour(value: str, name: str) -> dict[str, str]:
    opacity = int(value[7:9], 16) / 255 if len(value) == 9 else 1.0
    return {name: value[:7], f"{name}-opacity": f"{opacity:.4g}"}


def _casings(rule: Rule) -> list[ET.Element]:
    lines = [one for one in rule.symbols if isinstance(one, Line) and one.casing is not None]
    return [
        _line(one, one.casing or one.color, one.width + 2 * one.casing_width, dash=False) for one in lines
    ]


def _line(one: Line, colour: str, width: float, *, dash: bool = True) -> ET.Element:
    told = {"stroke-width": f"{width:g}", "stroke-linecap": one.cap, "stroke-linejoin": one.join}
    if dash and one.dash:
        pairs = one.dash if len(one.dash) % 2 == 0 else one.dash * 2
        told["stroke-dasharray"] = ", ".join(f"{part:g}" for part in pairs)
    return ET.Element("LineSymbolizer", {**_colour(colour, "stroke"), **told})


def _fill(one: Fill) -> ET.Element:
    # Half-covered pixels of two neighbours would leave a light seam between them.
    return ET.Element("PolygonSymbolizer", {**_colour(one.color, "fill"), "gamma": "0.8"})


def _hatch(one: Hatch) -> ET.Element:
    return ET.Element("PolygonPatternSymbolizer", file=str(hatch_file(one)), alignment="global")


def _marker(one: Marker) -> ET.Element:
    told = {
        **_colour(one.fill, "fill"),
        **_colour(one.stroke, "stroke"),
        "stroke-width": f"{one.stroke_width:g}",
        "width": f"{one.size:g}",
        "height": f"{one.size:g}",
        "allow-overlap": "true",
        "ignore-placement": "true",
        "placement": "point",
    }
    if one.shape == "circle":
        return ET.Element("MarkersSymbolizer", told)
    return ET.Element("MarkersSymbolizer", {**told, "file": str(marker_file(one.shape))})


_MAKERS: dict[type, Callable[[Any], ET.Element]] = {Fill: _fill, Hatch: _hatch, Marker: _marker}


def _symbol(one: Symbol, family: Family) -> ET.Element:
    if isinstance(one, Line):
        return _line(one, one.color, one.width)
    if isinstance(one, Marker) and family is not Family.POINT:
        made = _marker(one)
        made.set("placement", "interior")
        return made
    return _MAKERS[type(one)](one)


def _of_merged(rule: Rule, family: Family) -> list[ET.Element]:
    """Many small polygons in one shape have no outline; from afar they look like half of fill and outline."""
    fills = [one for one in rule.symbols if isinstance(one, Fill)]
    lines = [one for one in rule.symbols if isinstance(one, Line)]
    if family is not Family.POLYGON or not fills:
        return []
    solid = len(fills[0].color) == 7 or int(fills[0].color[7:9], 16) > 153
    colour = fills[0].color if solid or not lines else mixed(fills[0].color, lines[0].color)
    return [_fill(Fill(color=colour))]


def mixed(one: str, other: str) -> str:
    """The colour half way between two."""
    parts = zip(*(bytes.fromhex(colour[1:].ljust(8, "f")) for colour in (one, other)), strict=True)
    return "#" + bytes((a + b) // 2 for a, b in parts).hex()


def _label_style(name: str, look: Look) -> ET.Element:
    labels = look.labels or Labels()
    style = ET.Element("Style", name=name)
    scaled = Rule(min_scale=labels.min_scale, max_scale=labels.max_scale)
    _rule(style, look, scaled, [_text(labels, look)])
    return style


def _text(labels: Labels, look: Look) -> ET.Element:
    suggested = {Family.LINE: "line", Family.POLYGON: "interior"}.get(look.family, "point")
    placement = labels.placement or suggested
    told = {
        "fontset-name": "cjk",
        "size": f"{labels.size:g}",
        "fill": labels.color[:7],
        "halo-fill": labels.halo,
        "halo-radius": f"{labels.halo_width:g}",
        "placement": placement,
        "minimum-padding": f"{COLLISION_PX}",
        "margin": f"{COLLISION_PX}",
    }
    if placement == "point":
        told["dy"] = f"{-(labels.size * 0.9 + 4):g}"
    if placement == "line":
        told |= {"spacing": "300", "max-char-angle-delta": "25"}
    made = ET.Element("TextSymbolizer", told)
    made.text = f"[{look.label_column}]"
    return made
