"""Legends: every rule of a style with its symbols as the map draws them, and its title."""

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from layers.styles.model import Rule, rules_of
from layers.styles.reading import AnyStyle
from spatial.validity import Family
from tiles.drawing.mapnik_xml import Drawn, Look, layer_xml, map_xml
from tiles.drawing.pool import Picture, pool

ROW_PX, SWATCH_PX, MARGIN_PX, LETTER_PX = 24, 36, 6, 13
SRS = "epsg:4547"  # any plane will do: a unit is a pixel
MOST_LETTERS = 40


def titled(style: AnyStyle, layer_title: str, *, english: bool) -> list[tuple[str, Rule]]:
    """The rules that a reader can tell apart, with their titles; of one class at several scales, the first."""
    found: dict[str, tuple[str, Rule]] = {}
    for rule in rules_of(style):
        if rule.symbols:
            title = (rule.title_en if english else rule.title_zh) or rule.title_zh or layer_title
            found.setdefault(json.dumps([rule.where, rule.otherwise], ensure_ascii=False), (title, rule))
    return list(found.values())


def legend_json(rows: Sequence[tuple[str, Rule]]) -> list[dict[str, Any]]:
    """The rows as data: title, condition, scales and symbols."""
    return [{**rule.model_dump(exclude={"title_zh", "title_en"}), "title": title} for title, rule in rows]


def legend_png(rows: Sequence[tuple[str, Rule]], family: Family) -> bytes:
    """The rows as a picture, drawn by the same symbols as the map.

    Raises
    ------
    tiles.drawing.pool.NotDrawn, tiles.drawing.pool.DrawingBusy
    """
    letters = max((_width(title) for title, _ in rows), default=0)
    size = (2 * MARGIN_PX + SWATCH_PX + 8 + letters, max(1, len(rows)) * ROW_PX + 2 * MARGIN_PX)
    drawn = [part for number, row in enumerate(rows) for part in _row(number, *row, family, size)]
    digest = hashlib.sha256(" ".join(one.digest for one in drawn).encode()).hexdigest()[:24]
    return pool().draw(
        Picture(
            digest, map_xml(drawn, SRS), *size, (0.0, 0.0, float(size[0]), float(size[1])), "png32", "#ffffff"
        )
    )


def _width(title: str) -> int:
    """About how wide a title is; Chinese letters are as wide as high."""
    return (
        sum(LETTER_PX if ord(letter) > 0x2E7F else LETTER_PX * 5 // 8 for letter in title[:MOST_LETTERS]) + 4
    )


def _row(number: int, title: str, rule: Rule, family: Family, size: tuple[int, int]) -> list[Drawn]:
    """The symbols of a rule on a small shape, and its title beside them."""
    middle = size[1] - MARGIN_PX - (number + 0.5) * ROW_PX
    left, right = float(MARGIN_PX), float(MARGIN_PX + SWATCH_PX)
    plain = rule.model_copy(update={"where": None, "otherwise": False, "min_scale": None, "max_scale": None})
    look = Look(family, (plain,), None, "", {})
    swatch = layer_xml(f"swatch-{number}", look, _inline(_shape(family, left, right, middle)), SRS)
    return [swatch, _title(number, title, right + 8, middle)]


def _shape(family: Family, left: float, right: float, middle: float) -> dict[str, Any]:
    low, high = middle - ROW_PX / 2 + 4, middle + ROW_PX / 2 - 4
    if family is Family.POINT:
        return {"type": "Point", "coordinates": [(left + right) / 2, middle]}
    if family is Family.LINE:
        return {
            "type": "LineString",
            "coordinates": [[left, low + 2], [left + 12, high - 2], [right - 12, low + 2], [right, high - 2]],
        }
    return {
        "type": "Polygon",
        "coordinates": [[[left, low], [right, low], [right, high], [left, high], [left, low]]],
    }


def _inline(geometry: dict[str, Any], **properties: str) -> dict[str, str]:
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    collection = {"type": "FeatureCollection", "features": [feature]}
    return {"type": "geojson", "inline": json.dumps(collection, ensure_ascii=False)}


def _title(number: int, title: str, x: float, y: float) -> Drawn:
    name = f"title-{number}"
    style = ET.Element("Style", name=name)
    told = {
        "fontset-name": "cjk",
        "size": str(LETTER_PX - 1),
        "fill": "#1c2733",
        "horizontal-alignment": "right",
    }
    told |= {"allow-overlap": "true", "placement": "point"}
    text = ET.SubElement(ET.SubElement(style, "Rule"), "TextSymbolizer", told)
    text.text = "[title]"
    layer = ET.Element("Layer", name=name, srs=SRS)
    ET.SubElement(layer, "StyleName").text = name
    source = ET.SubElement(layer, "Datasource")
    shown = title if len(title) <= MOST_LETTERS else title[: MOST_LETTERS - 1] + "…"
    for key, value in _inline({"type": "Point", "coordinates": [x, y]}, title=shown).items():
        ET.SubElement(source, "Parameter", name=key).text = value
    xml = ET.tostring(style, encoding="unicode") + ET.tostring(layer, encoding="unicode")
    return Drawn(hashlib.sha256(xml.encode()).hexdigest()[:20], xml)
