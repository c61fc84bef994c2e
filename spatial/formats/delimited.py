"""CSV and its relatives: text columns, typed only where every value says so, with points or WKT for geometry.

A column becomes a number only if each value is a number in its shortest usual form: '007', '+86', '1,234',
'=1+2' and identifiers of more than fifteen digits stay text, as written.
"""

import csv
import io
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import shapely

from spatial.formats.encodings import CANDIDATES, Verdict, decide
from spatial.formats.refusals import TooManyFields, UnreadableSource
from spatial.formats.source import MOST_FIELDS, Batch, Geometries, Notes, Source, SourceField, note
from spatial.numbers import BBox
from spatial.validity import GEOMETRIC, Family, of_family

LONGEST_LINE = 1_000_000
_LARGEST = 1_000_000_000
_DELIMITERS = ",;\t|"
_INTEGER = r"^(?:0|-?[1-9][0-9]{0,14})$"
_REAL = r"^(?:-?(?:0|[1-9][0-9]{0,14})\.[0-9]+|0|-?[1-9][0-9]{0,14})$"
_SIGNIFICANT_DIGITS = 17
_WKT_VALUE = (
    r"(?i)^\s*(?:SRID=[0-9]{4,6};)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b|^\s*(?:GEOMETRYCOLLECTION)\b"
)
_COORDINATE = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_WKT_NAMES = ("wkt", "wkt_geom", "the_geom", "geom", "geometry", "shape", "几何")
_PAIRS = (
    (
        ("longitude", "lon", "lng", "long", "经度", "x_lon", "wgs84_lon", "lon_wgs84"),
        ("latitude", "lat", "纬度", "y_lat", "wgs84_lat", "lat_wgs84"),
    ),
    (
        ("x", "easting", "point_x", "coord_x", "x_coord", "xcoord", "x坐标", "东坐标"),
        ("y", "northing", "point_y", "coord_y", "y_coord", "ycoord", "y坐标", "北坐标"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where geometry comes from: one WKT column, or two of coordinates."""

    columns: tuple[str, ...]
    degrees: bool = False


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
    shape = _find_shape(texts)
    geometries, srid = _geometries(texts, shape, notes)
    typed = {column: _typed(texts.column(column)) for column in texts.column_names}
    table = pa.table(list(typed.values()), names=list(typed))
    return Source(
        driver="CSV",
        layer=name,
        layers=[name],
        fields=tuple(SourceField(column, _type_name(values.type)) for column, values in typed.items()),
        count=table.num_rows,
        reader=partial(_batches, geometries, table),
        srid=srid,
        crs_note=None if srid else _unsaid(shape),
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=samples,
        bounds=_bounds(geometries),
        family=_family(geometries),
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
    if not cells or not any(cell.strip() for cell in cells):
        raise UnreadableSource(name, "there is no header line", "没有表头行")
    if len(cells) > MOST_FIELDS:
        raise TooManyFields(count=len(cells), limit=MOST_FIELDS)
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        base = cell.strip() or f"column_{place}"
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers or real numbers where every value is one in its usual form, else the text."""
    if column.null_count == len(column):
        return column
    if pc.all(pc.match_substring_regex(column, _INTEGER)).as_py():
        return column.cast(pa.int64())
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest <= _SIGNIFICANT_DIGITS + 2 and pc.all(pc.match_substring_regex(column, _REAL)).as_py():
        return column.cast(pa.float64())
    return column


def _type_name(kind: pa.DataType) -> str:
    return {pa.int64(): "integer", pa.float64(): "real"}.get(kind, "text")


def _find_shape(texts: pa.Table) -> _Shape | None:
    known = {name.strip().lower().replace(" ", "_"): name for name in texts.column_names}
    for wanted in _WKT_NAMES:
        if wanted in known and _looks_wkt(texts.column(known[wanted])):
            return _Shape((known[wanted],))
    for place, (xs, ys) in enumerate(_PAIRS):
        x = next((known[wanted] for wanted in xs if wanted in known), None)
        y = next((known[wanted] for wanted in ys if wanted in known), None)
        if x is not None and y is not None:
            return _Shape((x, y), degrees=place == 0)
    return None


def _looks_wkt(column: pa.ChunkedArray) -> bool:
    values = column.drop_null()
    return len(values) > 0 and bool(pc.match_substring_regex(values.slice(0, 1), _WKT_VALUE)[0].as_py())


def _unsaid(shape: _Shape | None) -> str:
    if shape is None:
        return "没有坐标列 / there are no coordinate columns"
    told = ", ".join(shape.columns)
    if shape.degrees:
        return f"列 {told} 是经纬度，但没有说明基准 / columns {told} are degrees of an unstated datum"
    return f"列 {told} 没有说明坐标系 / columns {told} do not say their system"


def _geometries(texts: pa.Table, shape: _Shape | None, notes: Notes) -> tuple[Geometries, int | None]:
    if shape is None:
        note(notes, "no-geometry", "没有坐标列，只有属性", "no coordinate columns, attributes only")
        return np.full(texts.num_rows, None, dtype=object), None
    if len(shape.columns) == 1:
        return _from_wkt(texts.column(shape.columns[0]), notes)
    x, y = (_coordinates(texts.column(name)) for name in shape.columns)
    missing = np.isnan(x) | np.isnan(y)
    blank = pc.or_(*(pc.is_null(texts.column(name)) for name in shape.columns)).to_numpy()
    broken = int(np.count_nonzero(missing & ~blank))
    if broken:
        note(
            notes,
            "bad-coordinates",
            "坐标不是数，视为无坐标",
            "coordinates that are no numbers count as missing",
            broken,
        )
    points: Geometries = np.full(texts.num_rows, None, dtype=object)
    points[~missing] = shapely.points(x[~missing], y[~missing])
    return points, None


def _coordinates(column: pa.ChunkedArray) -> "np.typing.NDArray[np.float64]":
    """Numbers, NaN for blank cells and for anything else."""
    trimmed = pc.utf8_trim_whitespace(column)
    numeric = pc.if_else(
        pc.match_substring_regex(trimmed, _COORDINATE), trimmed, pa.scalar(None, pa.string())
    )
    plain = pc.replace_substring_regex(numeric, r"^\+", "")
    return np.asarray(plain.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _from_wkt(column: pa.ChunkedArray, notes: Notes) -> tuple[Geometries, int | None]:
    """Geometries and the code that all EWKT values name, if they do."""
    values = column.to_numpy(zero_copy_only=False)
    marked = [re.match(r"\s*SRID=([0-9]{4,6});", value, re.I) if value else None for value in values]
    named = {int(mark[1]) for mark in marked if mark}
    bare = [value[mark.end() :] if mark else value for value, mark in zip(values, marked, strict=True)]
    geometries: Geometries = shapely.from_wkt(np.array(bare, dtype=object), on_invalid="ignore")
    broken = int(np.count_nonzero(shapely.is_missing(geometries) & ~column.is_null().to_numpy()))
    if broken:
        note(
            notes,
            "bad-coordinates",
            "WKT 无法读取，视为无坐标",
            "WKT that cannot be read counts as missing",
            broken,
        )
    return geometries, named.pop() if len(named) == 1 else None


def _bounds(geometries: Geometries) -> BBox | None:
    if len(geometries) == 0:
        return None
    box = shapely.total_bounds(geometries)
    return BBox(*(float(value) for value in box)) if np.isfinite(box).all() else None


def _family(geometries: Geometries) -> Family | None:
    counts = {family: int(np.count_nonzero(of_family(geometries, family))) for family in GEOMETRIC}
    best = max(counts, key=lambda family: counts[family])
    return best if counts[best] else None


def _batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))
