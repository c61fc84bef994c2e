"""GeoParquet 1.0 and 1.1, and plain Parquet as a table; read in batches, so a large file needs little memory.

Of the coordinate system only its identifier is read: the PROJJSON of the file never reaches PROJ.
Source: OGC 23-077 (GeoParquet 1.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from spatial.crs import INPUT_SRIDS, UnknownCrs, parse_crs, refuse_obfuscated
from spatial.formats.columns import field_types, tidy
from spatial.formats.placing import family_of
from spatial.formats.refusals import TooManyFields, UnreadableSource
from spatial.formats.source import (
    BATCH_ROWS,
    MOST_FIELDS,
    Batch,
    Geometries,
    Notes,
    Source,
    SourceField,
    note,
)
from spatial.numbers import BBox, shown
from spatial.strictjson import BadJson, loads
from spatial.validity import Family

MAGIC = b"PAR1"
MOST_ROWS = 50_000_000
_LARGEST_METADATA = 1_000_000


@dataclass(frozen=True, slots=True)
class _Parquet:
    """An opened file: which columns are attributes, and which one holds the geometry."""

    path: Path
    name: str
    schema: pa.Schema
    geometry: str | None
    fields: tuple[SourceField, ...]


def open_geoparquet(path: Path, name: str) -> Source:
    """The rows of a Parquet file; with GeoParquet metadata they are features, without it a table.

    Raises
    ------
    UnreadableSource
        Broken, of another major version, or with geometry that is not well-known binary.
    TooManyFields
        More than 250 columns.
    ObfuscatedDatum
        It declares GCJ-02 or BD-09.
    """
    notes: Notes = []
    try:
        with pq.ParquetFile(path) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        raise UnreadableSource(name, "it is no intact Parquet file", "不是完整的 Parquet 文件") from None
    if count > MOST_ROWS:
        raise UnreadableSource(name, f"more than {MOST_ROWS} rows", f"超过 {MOST_ROWS} 行")
    told = _geo(schema, name)
    geometry, left_out = (None, set()) if told is None else _geometry_column(told, schema, name)
    opened = _opened(path, name, schema, geometry, left_out)
    srid, crs_note = _system(told, geometry) if told and geometry else (None, None)
    if told is None:
        crs_note = "没有坐标列 / there are no coordinate columns"
        note(notes, "no-geometry", "没有几何列，只有属性", "no geometry column, attributes only")
    bounds, family = _extent(opened) if geometry else (None, None)
    return Source(
        driver="Parquet",
        layer=name,
        layers=[name],
        fields=opened.fields,
        count=count,
        reader=partial(_batches, opened, notes),
        srid=srid,
        crs_note=crs_note,
        bounds=bounds,
        family=family,
        notes=notes,
    )


def _opened(path: Path, name: str, schema: pa.Schema, geometry: str | None, left_out: set[str]) -> _Parquet:
    names = schema.names
    if len(names) > MOST_FIELDS + 2:
        raise TooManyFields(count=len(names), limit=MOST_FIELDS)
    if len(set(names)) < len(names):
        raise UnreadableSource(name, "two columns have the same name", "有同名的列")
    kept = pa.schema([column for column in schema if column.name not in left_out])
    return _Parquet(path, name, kept, geometry, field_types(kept, geometry or ""))


def _geo(schema: pa.Schema, name: str) -> dict[str, Any] | None:
    """The GeoParquet metadata, None in a plain file."""
    text = (schema.metadata or {}).get(b"geo")
    if text is None:
        return None
    try:
        told = loads(text, max_bytes=_LARGEST_METADATA)
    except BadJson:
        told = None
    if not isinstance(told, dict) or not str(told.get("version", "")).startswith("1."):
        raise UnreadableSource(name, "its metadata are not GeoParquet 1.x", "元数据不是 GeoParquet 1.x")
    return told


def _geometry_column(told: dict[str, Any], schema: pa.Schema, name: str) -> tuple[str, set[str]]:
    """The name of the primary geometry column, and the columns that only repeat its boxes."""
    primary = told.get("primary_column")
    columns = told.get("columns")
    column = columns.get(primary) if isinstance(columns, dict) and isinstance(primary, str) else None
    if not isinstance(column, dict) or not isinstance(primary, str) or primary not in schema.names:
        raise UnreadableSource(name, "its geometry column is missing", "缺少几何列")
    kind = schema.field(primary).type
    if column.get("encoding") != "WKB" or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise UnreadableSource(
            name, "its geometry is not encoded as WKB; write it with encoding WKB", "几何不是 WKB 编码"
        )
    covering = column.get("covering")
    box = covering.get("bbox") if isinstance(covering, dict) else None
    paths = box.values() if isinstance(box, dict) else ()
    return primary, {
        path[0] for path in paths if isinstance(path, list) and path and isinstance(path[0], str)
    }


def _system(told: dict[str, Any], geometry: str) -> tuple[int | None, str | None]:
    """The code of the coordinate system, or what the file says of it."""
    column = told["columns"][geometry]
    if "crs" not in column:
        return 4326, None  # the standard's own rule: OGC:CRS84
    crs = column["crs"]
    if not isinstance(crs, dict):
        return None, "crs 为空 / crs is null"
    named = str(crs.get("name", ""))[:200]
    refuse_obfuscated(named)
    code = crs.get("id")
    text = f"{code.get('authority')}:{code.get('code')}" if isinstance(code, dict) else named
    try:
        return parse_crs(text, INPUT_SRIDS).srid, None
    except UnknownCrs:
        return None, shown(named or text, 120)


def _raw(opened: _Parquet, size: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(opened.path) as file:
            yield from file.iter_batches(batch_size=size, columns=columns, use_threads=False)
    except (pa.ArrowException, OSError, ValueError):
        raise UnreadableSource(opened.name, "it is broken within its data", "数据部分已损坏") from None


def _batches(opened: _Parquet, notes: Notes, size: int) -> Iterator[Batch]:
    start = 0
    for raw in _raw(opened, size, opened.schema.names):
        table = pa.Table.from_batches([raw])
        geometries = _geometries(table, opened.geometry, notes)
        try:
            attributes = tidy(table, opened.fields, notes)
        except pa.ArrowInvalid:
            raise UnreadableSource(
                opened.name, "a text is not UTF-8 or a number too large", "文字不是 UTF-8 或数值过大"
            ) from None
        yield Batch(start, geometries, attributes)
        start += len(table)


def _geometries(table: pa.Table, geometry: str | None, notes: Notes | None) -> Geometries:
    if geometry is None:
        return np.full(len(table), None, dtype=object)
    column = table.column(geometry)
    found: Geometries = shapely.from_wkb(np.array(column.to_pylist(), dtype=object), on_invalid="ignore")
    broken = int(np.count_nonzero(shapely.is_missing(found))) - column.null_count
    if broken and notes is not None:
        zh, en = "WKB 无法读取，视为无坐标", "WKB that cannot be read counts as missing"
        note(notes, "bad-coordinates", zh, en, broken)
    return found


def _extent(opened: _Parquet) -> tuple[BBox | None, Family | None]:
    """The box of all coordinates, and what the first features are; what the metadata claim is not believed."""
    boxes: list[Any] = []
    family: Family | None = None
    for raw in _raw(opened, BATCH_ROWS, [str(opened.geometry)]):
        geometries = _geometries(pa.Table.from_batches([raw]), opened.geometry, None)
        family = family or family_of(geometries)
        boxes.append(shapely.total_bounds(geometries))
    if not boxes:
        return None, family
    low, high = np.fmin.reduce(boxes)[:2], np.fmax.reduce(boxes)[2:]
    ends = [float(value) for value in (*low, *high)]
    return (BBox(*ends) if np.isfinite(ends).all() else None), family
