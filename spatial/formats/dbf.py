"""dBASE tables, read here so that every byte of text is decoded strictly and no digit is lost.

Layout: dBASE III+ as in ESRI's Shapefile description (1998): header, 32 bytes per field, fixed-width records
that begin with a deletion mark. Cost: one pass over the file per column, vectorised.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spatial.formats.columns import finite
from spatial.formats.encodings import CANDIDATES
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Notes, SourceField, note

_HEADER = 32
_DESCRIPTOR = 32
_INTEGER_DIGITS = 18  # what 64 bits always hold


@dataclass(frozen=True, slots=True)
class Column:
    """One field descriptor: name as stored, type letter, width and decimals, place in the record."""

    raw_name: bytes
    kind: str
    width: int
    decimals: int
    offset: int


class DbfTable:
    """A dBASE file, opened: its columns and its records as bytes."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER)
            if len(head) < _HEADER:
                raise self._broken("the .dbf is cut off", "dbf 文件不完整")
            self.header = int.from_bytes(head[8:10], "little")
            self.width = int.from_bytes(head[10:12], "little")
            self.count = int.from_bytes(head[4:8], "little")
            self.ldid = head[29]
            self.columns = self._columns(file.read(max(self.header - _HEADER, 0)))
        if self.count and size < self.header + self.count * self.width - 1:
            raise self._broken(
                f"the .dbf ends before its {self.count} records", f"dbf 不足 {self.count} 条记录"
            )
        self.records = self._map(path, size)
        self.deleted: NDArray[np.bool_] = self.records[:, 0] == ord("*")

    def texts(self) -> list[bytes]:
        """The distinct texts that are not plain ASCII, field names included."""
        found = {column.raw_name for column in self.columns if not column.raw_name.isascii()}
        for column in self.columns:
            if column.kind == "C":
                found.update(
                    value for value in pc.unique(self.raw(column)).to_pylist() if not value.isascii()
                )
        return sorted(found)

    def raw(self, column: Column) -> pa.Array:
        """One column's bytes without the blanks and NULs that fill it up."""
        cells = np.ascontiguousarray(self.records[:, column.offset : column.offset + column.width])
        fixed = cells.view(f"S{column.width}").reshape(self.count)
        return pa.array(np.strings.rstrip(fixed, b" \x00"), pa.binary())

    def names(self, encoding: str, notes: Notes) -> list[str]:
        """Field names; one cut in the middle of a character loses the half, equal ones get a number."""
        taken: list[str] = []
        for column in self.columns:
            name = _whole(column.raw_name, encoding)
            if name is None:
                name = column.raw_name.decode(encoding, "ignore")
                zh, en = f"字段名“{name}”在字符中间截断", f"field name '{name}' was cut inside a character"
                note(notes, "field-name-cut", zh, en)
            base, number = name or "field", 2
            while name in taken or not name:
                name, number = f"{base}_{number}", number + 1
            taken.append(name)
        return taken

    def samples(self, rows: int = 10) -> list[dict[str, Any]]:
        """The first rows that have text beyond ASCII, under each candidate encoding."""
        columns = [column for column in self.columns if column.kind == "C"]
        raws = [self.raw(column).to_pylist() for column in columns]
        odd = [place for place in range(self.count) if not all(values[place].isascii() for values in raws)]
        return [
            {
                "encoding": encoding,
                "rows": [
                    {
                        column.raw_name.decode(encoding, "replace"): values[place].decode(encoding, "replace")
                        for column, values in zip(columns, raws, strict=True)
                    }
                    for place in odd[:rows]
                ],
            }
            for encoding in CANDIDATES
        ]

    def read(self, encoding: str | None, notes: Notes) -> tuple[tuple[SourceField, ...], pa.Table]:
        """All columns, typed; deleted records included.

        Text that the encoding cannot decode shows U+FFFD; this happens only where the encoding was in doubt.
        """
        codec = encoding or "utf-8"
        names = self.names(codec, notes)
        arrays = [
            self._typed(column, name, codec, notes) for column, name in zip(self.columns, names, strict=True)
        ]
        fields = [
            SourceField(name, _TYPE_NAMES[array.type], column.width)
            for name, array, column in zip(names, arrays, self.columns, strict=True)
        ]
        return tuple(fields), pa.table(arrays, names=names)

    def _columns(self, descriptors: bytes) -> list[Column]:
        found, offset = [], 1
        for place in range(0, len(descriptors) - _DESCRIPTOR + 1, _DESCRIPTOR):
            piece = descriptors[place : place + _DESCRIPTOR]
            if piece[0] == 0x0D:
                break
            name, kind, width = piece[:11].split(b"\x00")[0].strip(), chr(piece[11]), piece[16]
            found.append(Column(name, kind, width, piece[17], offset))
            offset += width
        if offset > self.width or any(column.width == 0 for column in found):
            raise self._broken(
                "the field list of the .dbf contradicts its record length", "dbf 字段表与记录长度矛盾"
            )
        return found

    def _map(self, path: Path, size: int) -> NDArray[np.uint8]:
        if not self.count:
            return np.empty((0, self.width), dtype=np.uint8)
        short = self.header + self.count * self.width - size  # a missing last byte is common
        if short > 0:
            data = np.frombuffer(path.read_bytes()[self.header :] + b" " * short, dtype=np.uint8)
        else:
            data = np.memmap(path, dtype=np.uint8, mode="r", offset=self.header)
        return data[: self.count * self.width].reshape(self.count, self.width)

    def _typed(self, column: Column, name: str, codec: str, notes: Notes) -> pa.Array:
        if column.kind in "NF":
            return self._numbers(column, name, notes)
        if column.kind == "D":
            return _dates(self.raw(column), name, notes)
        if column.kind == "L":
            return _booleans(self.raw(column))
        if (column.kind, column.width) in _BINARY:
            return self._binary(column, _BINARY[column.kind, column.width])
        if column.kind == "C":
            return _texts(self.raw(column), codec)
        note(
            notes,
            "field-not-read",
            f"字段“{name}”类型 {column.kind} 未读入",
            f"field '{name}' is of type {column.kind}",
        )
        return pa.nulls(self.count, pa.string())

    def _numbers(self, column: Column, name: str, notes: Notes) -> pa.Array:
        trimmed = pc.ascii_trim_whitespace(_texts(self.raw(column), "latin-1"))
        blank = pc.or_(pc.equal(trimmed, ""), pc.starts_with(trimmed, "*"))
        digits = pc.if_else(blank, pa.scalar(None, pa.string()), trimmed)
        plain = column.decimals == 0 and column.kind == "N"
        long = bool(pc.any(pc.greater(pc.utf8_length(digits), _INTEGER_DIGITS + 1)).as_py())
        for kind in (pa.int64(), *(() if plain and long else (pa.float64(),))) if plain else (pa.float64(),):
            try:
                numbers = digits.cast(kind)
            except pa.ArrowInvalid:
                continue
            return finite(numbers, name, notes) if kind == pa.float64() else numbers
        return digits

    def _binary(self, column: Column, dtype: str) -> pa.Array:
        cells = np.ascontiguousarray(self.records[:, column.offset : column.offset + column.width])
        values = cells.view(dtype).reshape(self.count)
        return pa.array(values.astype(np.int64 if dtype == "<i4" else np.float64))

    def _broken(self, reason: str, reason_zh: str) -> UnreadableSource:
        return UnreadableSource(self.name, reason, reason_zh)


_BINARY = {("I", 4): "<i4", ("+", 4): "<i4", ("O", 8): "<f8", ("B", 8): "<f8"}
_TYPE_NAMES = {
    pa.string(): "text",
    pa.int64(): "integer",
    pa.float64(): "real",
    pa.date32(): "date",
    pa.bool_(): "boolean",
}


def _whole(name: bytes, encoding: str) -> str | None:
    try:
        return name.decode(encoding)
    except UnicodeError:
        return None


def _texts(raw: pa.Array, codec: str) -> pa.Array:
    """Decoded texts, blank ones as null; every distinct value is decoded once."""
    coded = raw.dictionary_encode()
    words = [value.decode(codec, "replace") or None for value in coded.dictionary.to_pylist()]
    if codec == "latin-1":
        words = [word or "" for word in words]
    return pc.take(pa.array(words, pa.string()), coded.indices)


def _dates(raw: pa.Array, name: str, notes: Notes) -> pa.Array:
    """Days written YYYYMMDD; a day that does not exist becomes null with a note."""
    coded = raw.dictionary_encode()
    days = [_day(value) for value in coded.dictionary.to_pylist()]
    found = pc.take(pa.array(days, pa.date32()), coded.indices)
    empty = [value.strip(b" 0") == b"" for value in coded.dictionary.to_pylist()]
    bad = found.null_count - (pc.sum(pc.take(pa.array(empty, pa.bool_()), coded.indices)).as_py() or 0)
    if bad:
        note(
            notes,
            "bad-dates",
            f"字段“{name}”中的无效日期已置空",
            f"field '{name}': impossible dates became null",
            bad,
        )
    return found


def _day(text: bytes) -> date | None:
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _booleans(raw: pa.Array) -> pa.Array:
    coded = raw.dictionary_encode()
    known = {
        b"T": True,
        b"t": True,
        b"Y": True,
        b"y": True,
        b"F": False,
        b"f": False,
        b"N": False,
        b"n": False,
    }
    values = [known.get(value) for value in coded.dictionary.to_pylist()]
    return pc.take(pa.array(values, pa.bool_()), coded.indices)
