"""Plain lists of corners: one polygon per block, a point per line, blocks parted by a blank line or a name.

A point is `J1,X,Y`, `12 X Y` or `X,Y`, parted by commas, blanks or tabs. Which of the two numbers is the northing is
told by their size and said as a note, for surveyors write X for north and others for east.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from spatial.formats.encodings import codec_named
from spatial.formats.landtext import decoded_text, number_of, polygon_of
from spatial.formats.placing import bounds_of, family_of
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Geometries, Notes, Source, SourceField, note

FIELDS = (SourceField("地块名称", "text"), SourceField("界址点数", "integer"))
_SEPARATORS = re.compile(r"[,，;；\t 　]+")
_LABEL = re.compile(r"(?:[A-Za-z]{1,4}|界址点|点|折点)?[-_]?[0-9]{1,6}(?:-[0-9]{1,4})?")
_COORDINATE = re.compile(r"[+-]?(?:[0-9]{6,8}(?:\.[0-9]*)?|[0-9]{1,5}\.[0-9]+)", re.ASCII)
_HEADINGS = {"x", "y", "name", "id", "点号", "名称", "编号", "wkt", "lon", "lat", "经度", "纬度"}
_FEWEST = 3
_LONGEST_NAME = 80
_NORTHINGS = (1_800_000.0, 6_100_000.0)  # China, metres from the equator
_EASTINGS = ((100_000.0, 900_000.0), (13_000_000.0, 46_000_000.0))  # without and with the zone in front
_LATITUDES, _LONGITUDES = (3.0, 54.0), (73.0, 136.0)


@dataclass(slots=True)
class _Block:
    """One polygon: its name and its points in the order written."""

    name: str | None = None
    points: list[tuple[float, float]] = field(default_factory=list)


def is_corner_list(start: bytes) -> bool:
    """Whether a file that begins like this is a list of corners and nothing else.

    Every whole line must be blank, a point or a name before points, and the first block must be a ring; a table
    with a header line is none.
    """
    text = _readable(start)
    if text is None:
        return False
    lines = text.splitlines()
    if len(start) >= 1024 and not text.endswith("\n"):
        lines = lines[:-1]
    blocks, rest = _blocks(lines)
    first = blocks[0].points if blocks else []
    return rest is None and len(first) >= _FEWEST and _north_first(first) is not None


def open_corners(path: Path, name: str, encoding: str | None) -> Source:
    """The polygons of a list of corners.

    Raises
    ------
    UnreadableSource
        A line is neither a point nor a name, or there is no block of three points.
    WrongEncoding
        The choice does not decode the text.
    """
    text, verdict, samples = decoded_text(path, name, encoding)
    notes: Notes = []
    if not verdict.sure:
        note(notes, "encoding-doubtful", verdict.doubt_zh, verdict.doubt_en)
    blocks, rest = _blocks(text.splitlines())
    if rest is not None:
        told = f"line {rest} is neither a point nor a name"
        raise UnreadableSource(name, told, f"第 {rest} 行既不是点也不是名称")
    blocks = [block for block in blocks if block.points]
    if not blocks:
        raise UnreadableSource(name, "it holds no points", "没有界址点")
    north_first = _order([point for block in blocks for point in block.points], notes)
    geometries = np.array(
        [polygon_of([_turned(block.points, north_first)], notes) for block in blocks] + [None], dtype=object
    )[:-1]
    names = pa.array([block.name for block in blocks], pa.string())
    counts = pa.array([len(block.points) for block in blocks], pa.int64())
    table = pa.table([names, counts], names=[one.name for one in FIELDS])
    return Source(
        driver="Corners",
        layer=name,
        layers=[name],
        fields=FIELDS,
        count=len(blocks),
        reader=partial(_batches, geometries, table),
        crs_note="没有说明坐标系 / no system stated",
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=samples,
        bounds=bounds_of(geometries),
        family=family_of(geometries),
        notes=notes,
    )


def _readable(start: bytes) -> str | None:
    """The text of a beginning that may be cut within a character."""
    data = start.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in data:
        return None
    for codec in ("utf-8", str(codec_named("gbk"))):
        for cut in range(4):
            try:
                return data[: len(data) - cut].decode(codec)
            except UnicodeDecodeError:
                continue
    return None


def _blocks(lines: list[str]) -> tuple[list[_Block], int | None]:
    """The blocks, and the number of the first line that belongs in none."""
    blocks = [_Block()]
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        point = _point(line)
        if point is not None:
            blocks[-1].points.append(point)
        elif not line:
            if blocks[-1].points:
                blocks.append(_Block())
        elif _is_name(line):
            if blocks[-1].points or blocks[-1].name is not None:
                blocks.append(_Block())
            blocks[-1].name = line
        else:
            return blocks, number
    return [block for block in blocks if block.points], None


def _point(line: str) -> tuple[float, float] | None:
    cells = [cell for cell in _SEPARATORS.split(line) if cell]
    if len(cells) == 3 and _LABEL.fullmatch(cells[0]):
        cells = cells[1:]
    if len(cells) != 2 or not all(_COORDINATE.fullmatch(cell) for cell in cells):
        return None
    first, second = (number_of(cell) for cell in cells)
    return None if first is None or second is None else (first, second)


def _is_name(line: str) -> bool:
    words = {word.lower() for word in _SEPARATORS.split(line)}
    parted = re.search(r"[,，;；\t]", line)
    return (
        not parted
        and len(line) <= _LONGEST_NAME
        and not words & _HEADINGS
        and not _COORDINATE.fullmatch(line)
    )


def _north_first(points: list[tuple[float, float]]) -> bool | None:
    """Whether the first number is the northing (latitude); None if neither order makes sense."""
    values = np.array(points)
    first = (float(values[:, 0].min()), float(values[:, 0].max()))
    second = (float(values[:, 1].min()), float(values[:, 1].max()))
    if _fits(first, second):
        return True
    return False if _fits(second, first) else None


def _fits(north: tuple[float, float], east: tuple[float, float]) -> bool:
    if _within(north, _LATITUDES) and _within(east, _LONGITUDES):
        return True
    return _within(north, _NORTHINGS) and any(_within(east, span) for span in _EASTINGS)


def _within(values: tuple[float, float], span: tuple[float, float]) -> bool:
    return span[0] <= values[0] and values[1] <= span[1]


def _order(points: list[tuple[float, float]], notes: Notes) -> bool:
    found = _north_first(points)
    if found is None:
        zh, en = (
            "坐标数值看不出南北与东西，按北坐标在前读",
            "the order is not told by the numbers; read as north first",
        )
        note(notes, "order-unknown", zh, en)
        return True
    if found:
        note(notes, "north-first", "第一个数是北坐标（纬度）", "the first number is the northing (latitude)")
    else:
        note(notes, "east-first", "第一个数是东坐标（经度）", "the first number is the easting (longitude)")
    return found


def _turned(points: list[tuple[float, float]], north_first: bool) -> list[tuple[float, float]]:
    return [(second, first) for first, second in points] if north_first else points


def _batches(geometries: Geometries, table: pa.Table, size: int) -> Iterator[Batch]:
    for start in range(0, table.num_rows, size):
        yield Batch(start, geometries[start : start + size], table.slice(start, size))
