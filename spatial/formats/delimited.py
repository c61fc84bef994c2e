"""CSV and its relatives: text columns, typed only where every value says so, with points or WKT for geometry.

A column becomes a number only if each value is a number in its shortest usual form: '007', '+86', '1,234',
'=1+2' and identifiers of more than fifteen digits stay text, as written. An apostrophe before = + - @ marks text in
spreadsheets and in our own exports: it is taken off, and its column stays text.
"""

import csv
import io
import mmap
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from spatial.formats.encodings import CANDIDATES, Verdict, decide
from spatial.formats.placing import (
    bounds_of,
    column_names,
    family_of,
    find_shape,
    geometries_of,
    type_name,
    typed,
    unsaid,
)
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Geometries, Notes, Source, SourceField, note

LONGEST_LINE = 1_000_000
_LARGEST = 1_000_000_000
_DELIMITERS = ",;\t|"
MARKED = r"^'('*[=+\-@\t\r])"


def open_delimited(path: Path, name: str, encoding: str | None) -> Source:
    """The rows of a delimited text with a header line.

    Raises
    ------
    UnreadableSource
        A line longer than 1 MB, an open quotation mark, rows of unequal length.
    TooManyFields
        More than 250 columns.
    WrongEncoding
        The choice does not decode the text.
    """
    verdict, samples = _encoding(path, name, encoding)
    texts = _table(path, name, verdict.encoding or "latin-1")
    notes: Notes = []
    if not verdict.sure:
        note(notes, "encoding-doubtful", verdict.doubt_zh, verdict.doubt_en)
    shape = find_shape(texts)
    geometries, srid = geometries_of(texts, shape, notes)
    columns = {column: _unmarked(texts.column(column)) for column in texts.column_names}
    table = pa.table(list(columns.values()), names=list(columns))
    return Source(
        driver="CSV",
        layer=name,
        layers=[name],
        fields=tuple(SourceField(column, type_name(values.type)) for column, values in columns.items()),
        count=table.num_rows,
        reader=partial(_batches, geometries, table),
        srid=srid,
        crs_note=None if srid else unsaid(shape),
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=samples,
        bounds=bounds_of(geometries),
        family=family_of(geometries),
        notes=notes,
    )


def _encoding(path: Path, name: str, explicit: str | None) -> tuple[Verdict, list[dict[str, Any]]]:
    """How to decode the file, with samples where that is in doubt; long lines are found on the way."""
    if path.stat().st_size > _LARGEST:
        raise UnreadableSource(name, "a text table of more than 1 GB", "文本表超过 1 GB")
    if path.stat().st_size == 0:
        raise UnreadableSource(name, "it is empty", "文件为空")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if explicit is None and text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return Verdict("utf-16", True), []
        _refuse_long_lines(text, name)
        body = text[3:] if text[:3] == b"\xef\xbb\xbf" else text[:]
    odd = [line for line in body.splitlines() if not line.isascii()]
    verdict = decide(odd, explicit=explicit)
    if verdict.sure:
        return verdict, []
    header = body.splitlines()[0]
    return verdict, [{"encoding": codec, "rows": _sample(header, odd, codec)} for codec in CANDIDATES]


def _sample(header: bytes, lines: list[bytes], codec: str) -> list[dict[str, str]]:
    delimiter = _delimiter(header.decode(codec, "replace"))
    text = b"\n".join([header, *[line for line in lines if line != header][:10]]).decode(codec, "replace")
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = next(rows)
    return [dict(zip(names, row, strict=False)) for row in rows]


def _refuse_long_lines(text: mmap.mmap, name: str) -> None:
    start = 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + LONGEST_LINE)
        if end < 0:
            if len(text) - start <= LONGEST_LINE:
                return
            raise UnreadableSource(name, "a line is longer than 1 MB", "有一行超过 1 MB")
        start = end + 1


def _delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=bare.count)


def _table(path: Path, name: str, encoding: str) -> pa.Table:
    """All columns as text, blank cells null."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=codec, errors="replace", newline="") as file:
        line = file.readline(LONGEST_LINE)
    names = _header(line, name)
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    try:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(encoding=encoding, column_names=names, skip_rows=1, block_size=8_000_000),
            arrow_csv.ParseOptions(delimiter=_delimiter(line), newlines_in_values=True),
            options,
        )
    except (pa.ArrowInvalid, UnicodeError) as fault:
        place = re.search(r"[Rr]ow #?(\d+)", str(fault))
        row = f" (row {place[1]})" if place else ""
        told = f"rows of unequal length or an open quotation mark{row}"
        raise UnreadableSource(name, told, f"各行列数不一或引号未闭合{row}") from None
    _refuse_open_quote(path, name, codec)
    return table


def _refuse_open_quote(path: Path, name: str, codec: str) -> None:
    """Refuse a text that ends inside quotation marks, which the fast reader takes for one long value."""
    with path.open(encoding=codec, newline="") as file:
        if sum(line.count('"') for line in file) % 2 == 0:
            return
        file.seek(0)
        try:
            for _ in csv.reader(file, delimiter=_delimiter(file.readline(LONGEST_LINE)), strict=True):
                pass
        except csv.Error:
            raise UnreadableSource(name, "a quotation mark is left open", "引号未闭合") from None


def _header(line: str, name: str) -> list[str]:
    cells = next(csv.reader([line.rstrip("\r\n")], delimiter=_delimiter(line)), [])
    return column_names([re.sub(MARKED, r"\1", cell) for cell in cells], name)


def _unmarked(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without the marks of text before what a spreadsheet would run as a formula."""
    marked = pc.any(pc.match_substring_regex(column, MARKED)).as_py()
    return pc.replace_substring_regex(column, MARKED, r"\1") if marked else typed(column)


def _batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))
