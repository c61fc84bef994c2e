"""GeoPackage with what the catalogue knows: aliases, code lists, and a style that QGIS applies by itself.

Aliases and code lists follow the extension `gpkg_schema` (OGC 12-128r18, annex F.9), the style QGIS's own table
`layer_styles`. The file's feature ids are the layer's.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from layers.catalogue import FieldInfo
from layers.exchange.exports.qml import qml_of
from layers.exchange.exports.selection import Selection, Stream

_SCHEMA_EXTENSION = "http://www.geopackage.org/spec121/#extension_schema"
_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
    constraint_name TEXT,
    CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
    constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
    max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
"""
_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT,
    f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
    owner TEXT, ui TEXT, update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id)
VALUES ('layer_styles', 'attributes', 'layer_styles', '', 0);
"""


def write(selection: Selection, path: Path) -> int:
    """Write one layer, or one table of attributes; the number of rows."""
    fid = selection.free("fid")
    shape = selection.free("geom") if selection.has_geometry else None
    schema, made = selection.table_parts(fid, shape)
    options: dict[str, Any] = {"FID": fid}
    told: dict[str, Any] = {}
    if shape is not None:
        options["GEOMETRY_NAME"] = shape
        told = {"geometry_name": shape, "geometry_type": "Unknown", "crs": f"EPSG:{selection.crs.srid}"}
    name = selection.scope.layer.name
    count = Stream(selection, schema, made).write(path, "GPKG", layer=name, layer_options=options, **told)
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        _describe(base, selection)
        if shape is not None:
            _style(base, selection, shape)
    return count


def _describe(base: sqlite3.Connection, selection: Selection) -> None:
    """Titles, aliases, units and code lists."""
    layer = selection.scope.layer
    base.executescript(_TABLES)
    base.execute(
        "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
        [layer.title_zh or layer.name, layer.abstract_zh, layer.name],
    )
    base.executemany(
        "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
        [(table, _SCHEMA_EXTENSION) for table in ("gpkg_data_columns", "gpkg_data_column_constraints")],
    )
    taken: set[str] = set()
    for one in selection.fields:
        constraint = _constraint(base, one)
        alias = one.alias_zh or one.name
        alias = alias if alias not in taken else f"{alias} ({one.name})"
        taken.add(alias)
        base.execute(
            "INSERT OR REPLACE INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)",
            [layer.name, one.name, alias, one.alias_en or alias, one.unit, constraint],
        )


def _constraint(base: sqlite3.Connection, one: FieldInfo) -> str | None:
    """The code list of a field as an enumeration, once for all fields that share it."""
    if not one.codes:
        return None
    name = one.code_list or one.name
    base.executemany(
        "INSERT OR IGNORE INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
        [(name, code, title_zh or title_en) for code, title_zh, title_en in one.codes],
    )
    return name


def _style(base: sqlite3.Connection, selection: Selection, shape: str) -> None:
    layer = selection.scope.layer
    base.executescript(_STYLES)
    base.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
        " styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '')",
        [layer.name, shape, layer.name, qml_of(layer, selection.names), layer.title_zh],
    )
