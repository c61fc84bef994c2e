"""Workbooks (.xlsx): each sheet is a layer, each column a field; what a cell holds is what is read.

Formulas are never evaluated: their last stored result counts. A cell of text stays text whatever it looks like, so
that '007' and identifiers of eighteen digits come through; a number shown with leading zeros ('000000') is the text
that is shown. Source: ECMA-376, parts 1 and 2.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from spatial.formats.archive import HIGHEST_RATIO
from spatial.formats.columns import ARROW_TYPES
from spatial.formats.placing import bounds_of, column_names, family_of, find_shape, geometries_of, unsaid
from spatial.formats.refusals import ArchiveTooBig, NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.formats.source import MOST_FIELDS, Batch, Geometries, Notes, Source, SourceField, note

MAGIC = b"PK\x03\x04"
MOST_ROWS = 1_048_576
MOST_BYTES = 1_000_000_000
MOST_TEXT_BYTES = 200_000_000  # of the table of shared texts, which has to be held as a whole
MOST_PARTS = 2_000
_FREE_BYTES = 50_000_000  # below this the ratio says nothing
_CHUNK = 1_048_576
_HEADER_WITHIN = 30  # rows looked at for the header
_LONGEST_EXACT = 15  # digits a spreadsheet keeps of a number
_MARK = re.compile("_x([0-9A-Fa-f]{4})_")  # a character that XML cannot hold: part 1, 22.9.2.19
_ZEROS = re.compile(r"^0{2,}$")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    InvalidFileException,
    KeyError,
    ValueError,
    IndexError,
    AttributeError,
    TypeError,
    EOFError,
    OSError,
    OverflowError,
    NotImplementedError,
)

Row = list[Any]


def open_workbook(path: Path, name: str, layer: str | None) -> Source:
    """The rows of one sheet below its header row.

    Parameters
    ----------
    path : Path
        The workbook.
    name : str
        What it is called in a refusal.
    layer : str or None
        The sheet; may be None where only one holds anything.

    Raises
    ------
    NotAllowedFormat
        It carries macros, or declares entities of its own.
    ArchiveTooBig
        It unpacks to more than is taken.
    UnreadableSource
        Broken or encrypted, or no sheet holds a table.
    SourceLayerMissing
        Several sheets hold something and none of them was chosen.
    TooManyFields
        More than 250 columns.
    """
    notes: Notes = []
    merged = _look_through(path, name)
    if merged:
        zh, en = "合并单元格只有左上角一格有值", "of merged cells only the first one holds the value"
        note(notes, "merged-cells", zh, en, merged)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what openpyxl leaves out (styles, charts) is none of ours
        try:
            sheets, chosen, rows = _read(path, name, layer, notes)
        except _BROKEN:
            raise UnreadableSource(name, "it is no intact workbook", "不是完整的工作簿") from None
    return _source(name, sheets, chosen, rows, notes)


def _source(name: str, sheets: list[str], chosen: str, rows: list[Row], notes: Notes) -> Source:
    header, body = _below_header(rows, name, notes)
    columns = [[row[place] for row in body] for place in range(len(header))]
    fields, arrays, texts = [], [], {}
    for field_name, values in zip(header, columns, strict=True):
        field, array = _column(field_name, values, notes)
        fields.append(field)
        arrays.append(array)
        texts[field_name] = pa.chunked_array([pa.array([_text(value) for value in values], pa.string())])
    shape = find_shape(pa.table(texts))
    geometries, srid = geometries_of(pa.table(texts), shape, notes)
    table = pa.table(arrays, names=header)
    return Source(
        driver="XLSX",
        layer=chosen,
        layers=sheets,
        fields=tuple(fields),
        count=table.num_rows,
        reader=partial(_batches, geometries, table),
        srid=srid,
        crs_note=None if srid else unsaid(shape),
        bounds=bounds_of(geometries),
        family=family_of(geometries),
        notes=notes,
    )


def _look_through(path: Path, name: str) -> int:
    """Count the real bytes of every part and refuse what must not be parsed; the number of merged ranges."""
    merged = total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise ArchiveTooBig(limit=f"{MOST_PARTS} parts")
            for part in parts:
                if part.filename.lower().endswith(("vbaproject.bin", ".bin.xlm")):
                    raise NotAllowedFormat(name, "it carries macros", "含有宏")
                size, ranges = _part(archive, part, name, MOST_BYTES - total)
                total, merged = total + size, merged + ranges
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise UnreadableSource(name, "it is broken or encrypted", "文件损坏或已加密") from None
    if total > _FREE_BYTES and total > HIGHEST_RATIO * path.stat().st_size:
        raise ArchiveTooBig(limit=f"{HIGHEST_RATIO}:1")
    return merged


def _part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, left: int) -> tuple[int, int]:
    """The unpacked size of a part, and the merged ranges in it."""
    limit = min(left, MOST_TEXT_BYTES) if part.filename.lower().endswith("sharedstrings.xml") else left
    markup = part.filename.lower().endswith((".xml", ".rels", ".vml"))
    size, merged, tail = 0, 0, b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            if markup and size == 0 and not chunk.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
                raise UnreadableSource(name, "a part of it is not UTF-8", "其中有部件不是 UTF-8")
            size += len(chunk)
            if size > limit:
                raise ArchiveTooBig(limit=f"{limit} bytes")
            joined = tail + chunk
            if markup and b"<!" in joined and (b"<!DOCTYPE" in joined or b"<!ENTITY" in joined):
                raise NotAllowedFormat(name, "it declares entities", "含有实体声明")
            merged += joined.count(b"<mergeCell ") - tail.count(b"<mergeCell ")
            tail = joined[-16:]
    return size, merged


def _read(path: Path, name: str, layer: str | None, notes: Notes) -> tuple[list[str], str, list[Row]]:
    """The sheets that hold something, the chosen one's name and its rows."""
    with closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as book:
        filled = [sheet.title for sheet in book.worksheets if _holds_something(sheet)]
        if not filled:
            raise UnreadableSource(name, "no sheet holds a table", "没有含表格的工作表")
        if layer is None and len(filled) == 1:
            layer = filled[0]
        if layer is None or layer not in filled:
            raise SourceLayerMissing(layers=filled)
        return filled, layer, _rows(book[layer], name, notes)


def _holds_something(sheet: Any) -> bool:
    rows = islice(sheet.iter_rows(values_only=True), _HEADER_WITHIN)
    return any(value is not None for row in rows for value in row)


def _rows(sheet: Any, name: str, notes: Notes) -> list[Row]:
    """The rows with a value, cut after their last value."""
    sheet.reset_dimensions()  # what the file says of its size is not believed
    found: list[Row] = []
    blank = 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > MOST_ROWS:
            raise UnreadableSource(name, f"more than {MOST_ROWS} rows", f"超过 {MOST_ROWS} 行")
        row = [_value(cell, notes) for cell in cells]
        while row and row[-1] is None:
            row.pop()
        if row:
            found.append(row)
        elif found:
            blank += 1
        if len(row) > MOST_FIELDS + 1:
            raise UnreadableSource(
                name, f"row {number} has {len(row)} cells", f"第 {number} 行有 {len(row)} 格"
            )
    if blank:
        note(notes, "blank-rows", "空行未读入", "blank rows were left out", blank)
    return found


def _value(cell: Any, notes: Notes) -> Any:
    """What a cell holds: None, text, number, truth, date or time stamp."""
    value = cell.value
    if value is None or cell.data_type == "e":
        if value is not None:
            note(notes, "cell-error", "单元格为错误值，已置空", "cells with an error value became null")
        return None
    if isinstance(value, str):
        return _MARK.sub(lambda mark: chr(int(mark[1], 16)), value) if value.strip() else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, cell.number_format)
    return value if isinstance(value, bool | date | time) else str(value)


def _number(value: float, shown_as: str | None) -> Any:
    if shown_as and _ZEROS.match(shown_as) and value >= 0 and value == int(value):
        return str(int(value)).zfill(len(shown_as))
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _below_header(rows: list[Row], name: str, notes: Notes) -> tuple[list[str], list[Row]]:
    """The names, and the rows below them, each as long as the header or shorter."""
    start = _header_place(rows)
    if start:
        zh, en = "表头以上的行未读入", "rows above the header were left out"
        note(notes, "rows-above-header", zh, en, start)
    width = max(len(row) for row in rows[start:])
    cells = ["" if value is None else str(_text(value)) for value in rows[start]]
    header = column_names([*cells, *[""] * (width - len(cells))], name)
    body = rows[start + 1 :]
    return header, [[*row, *[None] * (width - len(row))] for row in body]


def _header_place(rows: list[Row]) -> int:
    """The first row that is about as wide as the widest and mostly text; titles stand above it."""
    head = rows[:_HEADER_WITHIN]
    widest = max(_filled(row) for row in head)
    for place, row in enumerate(head):
        texts = sum(isinstance(value, str) for value in row)
        if 2 * _filled(row) > widest and 2 * texts > _filled(row):
            return place
    return 0


def _filled(row: Row) -> int:
    return sum(value is not None for value in row)


def _column(name: str, values: Row, notes: Notes) -> tuple[SourceField, pa.Array]:
    """A column of the narrowest type that holds every value exactly."""
    kind = _kind({type(value) for value in values if value is not None}, values)
    if kind == "text":
        return SourceField(name, kind), pa.array([_text(value) for value in values], pa.string())
    if kind in {"date", "datetime"}:
        values = [_moment(name, value, kind, notes) for value in values]
    if kind == "real":
        values = [None if value is None else float(value) for value in values]
    return SourceField(name, kind), pa.array(values, ARROW_TYPES[kind])


def _kind(types: set[type], values: Row) -> str:
    if types == {bool}:
        return "boolean"
    if types & {datetime, date} and types <= {datetime, date, time}:
        stamps = [value for value in values if isinstance(value, datetime)]
        return "date" if all(value.time() == time() for value in stamps) else "datetime"
    if types and types <= {int, float}:
        if any(abs(value) >= 10**_LONGEST_EXACT for value in values if value is not None):
            return "text" if types == {int} else "real"
        return "integer" if types == {int} else "real"
    return "text"


def _moment(name: str, value: Any, kind: str, notes: Notes) -> date | None:
    """The date; a time without a day, which is what a spreadsheet makes of zero, is none."""
    if isinstance(value, time):
        note(
            notes,
            "bad-date",
            f"字段“{name}”中的 0 不是日期，已置空",
            f"field '{name}': 0 is no date, became null",
        )
        return None
    if kind == "date" and isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _text(value: Any) -> str | None:
    """A value as text: dates as ISO 8601, numbers in their shortest form."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))
