"""Columns as they leave a reader: six types, no number that JSON cannot write, nothing lost in silence."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spatial.formats.source import Notes, SourceField, note

ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("ms"),
    "boolean": pa.bool_(),
}


def field_types(schema: pa.Schema, geometry: str) -> tuple[SourceField, ...]:
    """The fields of a table, without its geometry column."""
    return tuple(
        SourceField(column.name, _type_of(column.type)) for column in schema if column.name != geometry
    )


def tidy(table: pa.Table, fields: tuple[SourceField, ...], notes: Notes) -> pa.Table:
    """The attributes alone, each column of its field's type.

    Raises
    ------
    pyarrow.ArrowInvalid
        A text is not UTF-8.
    """
    columns = [_typed(table.column(field.name), field, notes) for field in fields]
    return pa.table(columns, names=[field.name for field in fields])


def finite(column: pa.ChunkedArray, name: str, notes: Notes) -> pa.ChunkedArray:
    """A column of real numbers with null for NaN and infinity, which JSON cannot write."""
    broken = pc.fill_null(pc.invert(pc.is_finite(column)), False)
    count = pc.sum(broken).as_py() or 0
    if not count:
        return column
    note(
        notes,
        "not-finite",
        f"字段“{name}”中的非数值已置空",
        f"field '{name}': NaN or infinity became null",
        count,
    )
    return pc.if_else(broken, pa.scalar(None, column.type), column)


def _type_of(kind: pa.DataType) -> str:
    tests = (
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
        ("real", pa.types.is_floating),
        ("date", pa.types.is_date),
        ("datetime", pa.types.is_timestamp),
    )
    return next((name for name, test in tests if test(kind)), "text")


def _typed(column: pa.ChunkedArray, field: SourceField, notes: Notes) -> pa.ChunkedArray:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        zh, en = f"字段“{field.name}”是二进制，未读入", f"field '{field.name}' is binary and was not read"
        note(notes, "binary-field", zh, en)
        return pa.chunked_array([pa.nulls(len(column), pa.string())])
    if field.type == "text":
        return _text(column)
    if field.type == "datetime" and column.type.tz is not None:
        return column.cast(pa.timestamp("ms", tz="UTC"), safe=False)
    typed = column.cast(ARROW_TYPES[field.type], safe=field.type != "datetime")
    return finite(typed, field.name, notes) if field.type == "real" else typed


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column.validate(full=True)
        return column.cast(pa.string())
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([_json(value) for value in column.to_pylist()], pa.string())])
    return column.cast(pa.string())


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
