"""The style of a layer as QGIS writes it (QML): one symbol, or one for each class of a field."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from layers.catalogue import LayerInfo
from spatial.validity import Family

DEFAULT_FILL = "#e3e8ee"
DEFAULT_STROKE = "#5f6e7e"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
_PIXELS_PER_MM = 3.78
_KINDS = {
    Family.POINT: ("marker", "SimpleMarker", 0),
    Family.LINE: ("line", "SimpleLine", 1),
    Family.POLYGON: ("fill", "SimpleFill", 2),
}
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def qml_of(layer: LayerInfo, visible: list[str]) -> str:
    """The layer's style.

    Parameters
    ----------
    layer
        With a style as the catalogue keeps it: fill, stroke, width, radius, categories.
    visible
        The fields that the file holds: classes of a hidden field are not told.
    """
    root = ET.Element("qgis", version="3.34.0", styleCategories="Symbology|Labeling|Fields")
    classes = _classes(layer.style, visible)
    field = layer.style["categories"]["field"] if classes else ""
    if classes:
        renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=field, enableorderby="0")
        _categories(renderer, classes)
    else:
        renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol", enableorderby="0")
    symbols = ET.SubElement(renderer, "symbols")
    for number, (_, looks) in enumerate(classes or [("", layer.style)]):
        _symbol(symbols, str(number), layer, {**layer.style, **looks})
    _aliases(root, layer, visible)
    ET.SubElement(root, "layerGeometryType").text = str(_KINDS[layer.family][2])
    ET.indent(root)
    return _DOCTYPE + ET.tostring(root, encoding="unicode")


def _classes(style: Mapping[str, Any], visible: list[str]) -> list[tuple[str, Mapping[str, Any]]]:
    told = style.get("categories")
    if not isinstance(told, dict) or told.get("field") not in visible:
        return []
    values = told.get("values")
    if not isinstance(values, dict):
        return []
    return [(code, looks) for code, looks in values.items() if isinstance(looks, dict)]


def _categories(renderer: ET.Element, classes: list[tuple[str, Mapping[str, Any]]]) -> None:
    found = ET.SubElement(renderer, "categories")
    for number, (code, looks) in enumerate(classes):
        label = f"{code} {looks.get('label_zh') or looks.get('label_en') or ''}".strip()
        ET.SubElement(
            found, "category", value=code, symbol=str(number), label=label, render="true", type="string"
        )


def _symbol(symbols: ET.Element, name: str, layer: LayerInfo, looks: Mapping[str, Any]) -> None:
    kind, drawn, _ = _KINDS[layer.family]
    symbol = ET.SubElement(
        symbols, "symbol", type=kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    part = ET.SubElement(symbol, "layer", {"class": drawn, "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(part, "Option", type="Map")
    for key, value in _options(layer.family, looks).items():
        ET.SubElement(options, "Option", name=key, value=value, type="QString")


def _options(family: Family, looks: Mapping[str, Any]) -> dict[str, str]:
    fill, stroke = _rgba(looks.get("fill"), DEFAULT_FILL), _rgba(looks.get("stroke"), DEFAULT_STROKE)
    width = f"{_number(looks.get('width'), 1.0) / _PIXELS_PER_MM:.3f}"
    if family is Family.LINE:
        return {"line_color": stroke, "line_width": width, "line_width_unit": "MM", "line_style": "solid"}
    shared = {"color": fill, "outline_color": stroke, "outline_width": width, "outline_width_unit": "MM"}
    if family is Family.POINT:
        size = f"{2 * _number(looks.get('radius'), 4.0) / _PIXELS_PER_MM:.3f}"
        return {**shared, "name": "circle", "size": size, "size_unit": "MM", "outline_style": "solid"}
    return {**shared, "style": "solid", "outline_style": "solid", "joinstyle": "bevel"}


def _rgba(colour: Any, fallback: str) -> str:
    """'r,g,b,a' of #rrggbb or #rrggbbaa."""
    text = colour if isinstance(colour, str) and _COLOUR.fullmatch(colour) else fallback
    parts = bytes.fromhex(text[1:])
    return ",".join(str(part) for part in (*parts, 255)[:4])


def _number(value: Any, fallback: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1_000 else fallback


def _aliases(root: ET.Element, layer: LayerInfo, visible: list[str]) -> None:
    aliases = ET.SubElement(root, "aliases")
    for number, one in enumerate(one for one in layer.fields if one.name in visible):
        ET.SubElement(aliases, "alias", name=one.alias_zh, field=one.name, index=str(number))
