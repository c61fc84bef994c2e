"""The faults of a delivery as a GeoPackage, in the coordinates the surveyor works with."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyogrio
import shapely
from django.conf import settings
from django.db.models import QuerySet

from layers.models import Delivery, DeliveryFinding
from spatial.crs import transformation
from spatial.crs.transform import Transformation
from spatial.errors import OnemapError

LON_LAT = 4490  # places of findings: longitude and latitude on CGCS2000
BATCH = 2_000
COLOURS = {"block": "179,38,30,255", "warn": "201,138,27,255", "note": "59,85,104,255"}


class FaultLayer(NamedTuple):
    """A layer of the file: its name, the places that go into it, its geometry type, and QGIS's symbol."""

    name: str
    places: tuple[str, ...]
    geometry: str | None
    symbol: str


LAYERS = (
    FaultLayer("fault_points", ("Point", "MultiPoint", "GeometryCollection"), "Point", "marker"),
    FaultLayer("fault_lines", ("LineString", "MultiLineString"), "MultiLineString", "line"),
    FaultLayer("fault_areas", ("Polygon", "MultiPolygon"), "MultiPolygon", "fill"),
    FaultLayer("faults_without_place", (), None, ""),
)
FIELDS = pa.schema(
    [
        ("number", pa.int64()),
        ("code", pa.string()),
        ("level", pa.string()),
        ("message_zh", pa.string()),
        ("message", pa.string()),
        ("source", pa.string()),
        ("layer", pa.string()),
        ("row", pa.int64()),
        ("key", pa.string()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("facts", pa.string()),
    ]
)


def findings_gpkg(delivery: Delivery, path: Path) -> int:
    """Write every fault of a delivery to a GeoPackage; return how many.

    Parameters
    ----------
    path
        Must not be there yet.

    Notes
    -----
    Points, lines, areas and faults without a place are layers of their own, with a style in `layer_styles`; the CRS is
    the delivery's where its parts agree on one, else EPSG:4490 (longitude, latitude). Memory is flat.
    """
    move = _move(delivery)
    count = 0
    written: list[FaultLayer] = []
    for layer in LAYERS:
        rows = _rows(delivery, layer)
        number = rows.count()
        if number or layer.geometry is None:  # the file is whole even without a fault
            _write(path, layer, rows, move, append=bool(written))
            written.append(layer)
            count += number
    _style(path, [layer for layer in written if layer.geometry])
    return count


def _rows(delivery: Delivery, layer: FaultLayer) -> QuerySet[DeliveryFinding]:
    found = delivery.findings.select_related("part").order_by("id")
    if layer.geometry is None:
        kinds = [kind for one in LAYERS for kind in one.places]
        return found.exclude(id__in=delivery.findings.filter(place__type__in=kinds).values("id"))
    return found.filter(place__type__in=layer.places)


def _move(delivery: Delivery) -> Transformation:
    """From the places of findings to the CRS the surveyor delivered in."""
    told = {
        part.facts.get("source_crs") or part.facts.get("origin", {}).get("source_crs")
        for part in delivery.parts.all()
    } - {None, ""}
    named = told.pop() if len(told) == 1 else delivery.answers.get("source_crs") or ""
    code = str(named).removeprefix("EPSG:")
    try:
        return transformation(LON_LAT, int(code), settings.ONEMAP_CRS_PARAMETERS)
    except (ValueError, OnemapError):
        return transformation(LON_LAT, LON_LAT)


def _write(
    path: Path, layer: FaultLayer, rows: QuerySet[DeliveryFinding], move: Transformation, *, append: bool
) -> None:
    schema = FIELDS.append(pa.field("geom", pa.binary())) if layer.geometry else FIELDS
    batches = _batches(layer, rows, move, schema)
    placed = {"geometry_name": "geom", "crs": f"EPSG:{move.target}"} if layer.geometry else {}
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, batches),
        path,
        driver="GPKG",
        layer=layer.name,
        geometry_type=layer.geometry,
        append=append,
        **placed,
    )


def _batches(
    layer: FaultLayer, rows: QuerySet[DeliveryFinding], move: Transformation, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    held: list[dict[str, Any]] = []
    for one in rows.iterator(BATCH):
        held.append(_values(one) | ({"geom": _placed(one.place, layer, move)} if layer.geometry else {}))
        if len(held) == BATCH:
            yield pa.RecordBatch.from_pylist(held, schema=schema)
            held = []
    yield pa.RecordBatch.from_pylist(held, schema=schema)


def _values(one: DeliveryFinding) -> dict[str, Any]:
    facts = one.facts or {}
    return {
        "number": one.pk,
        "code": one.code,
        "level": one.level,
        "message_zh": one.message_zh,
        "message": one.message,
        "source": one.part.source if one.part else None,
        "layer": one.part.layer_name if one.part else None,
        "row": one.row,
        **{name: _text(facts.get(name)) for name in ("key", "field", "value")},
        "facts": json.dumps(facts, ensure_ascii=False),
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _placed(place: dict[str, Any] | None, layer: FaultLayer, move: Transformation) -> bytes | None:
    shape = shapely.from_geojson(json.dumps(place), on_invalid="ignore")
    if shape is None or shape.is_empty:
        return None
    moved = shapely.transform(shapely.force_2d(shape), move.apply)
    if layer.geometry == "Point":
        moved = moved if moved.geom_type == "Point" else moved.representative_point()
    elif not moved.geom_type.startswith("Multi"):
        kind = shapely.MultiPolygon if layer.geometry == "MultiPolygon" else shapely.MultiLineString
        moved = kind([moved])
    return bytes(shapely.to_wkb(moved))


STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('layer_styles', 'attributes', 'layer_styles');
"""
STYLE = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
                          styleSLD, useAsDefault, description, owner)
VALUES ('', '', ?, 'geom', 'faults', ?, '', 1, '', '')
"""


def _style(path: Path, layers: list[FaultLayer]) -> None:
    """Let QGIS show the faults by their level, without a hand's turn."""
    if not layers:
        return
    with sqlite3.connect(path) as base:
        base.executescript(STYLES)
        base.executemany(STYLE, [(layer.name, _qml(layer.symbol)) for layer in layers])
    base.close()


def _qml(symbol: str) -> str:
    classes = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}
    options = {
        "marker": '<Option name="color" value="{0}" type="QString"/><Option name="size" value="3" type="QString"/>',
        "line": '<Option name="line_color" value="{0}" type="QString"/>'
        '<Option name="line_width" value="0.8" type="QString"/>',
        "fill": '<Option name="color" value="{1}" type="QString"/>'
        '<Option name="outline_color" value="{0}" type="QString"/>'
        '<Option name="outline_width" value="0.6" type="QString"/>',
    }[symbol]
    categories = "".join(
        f'<category render="true" symbol="{place}" value="{level}" label="{level}"/>'
        for place, level in enumerate(COLOURS)
    )
    symbols = "".join(
        f'<symbol type="{symbol}" name="{place}" alpha="1"><layer class="{classes[symbol]}" enabled="1" pass="0">'
        f'<Option type="Map">{options.format(colour, colour.replace(",255", ",60"))}</Option></layer></symbol>'
        for place, colour in enumerate(COLOURS.values())
    )
    return (
        '<qgis version="3.22"><renderer-v2 type="categorizedSymbol" attr="level" enableorderby="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2></qgis>"
    )
