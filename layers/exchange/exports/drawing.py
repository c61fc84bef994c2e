"""DXF (AutoCAD 2007, UTF-8): rings as closed LWPOLYLINE, one layer for shapes and one for labels.

The frame of the file is made by ezdxf; the entities are streamed into it, so memory stays flat. A drawing holds
shapes and one label, holes are rings of their own. The first entity of a feature carries its attributes as extended
data of the application ONEMAP, one 'name=value' each, cut at 250 bytes; a program that knows them not keeps them.
"""

import io
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import shapely
from ezdxf.filemanagement import new
from shapely.geometry.base import BaseGeometry

from layers.exchange.exports.selection import Selection

_VERSION = "R2007"
_FIRST_HANDLE = 0x100000
_SEED = "7FFFFFFFFFFFFF"
_CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029]+")
_NOT_IN_NAMES = re.compile(r"[<>/\\\":;?*|=`,\x00-\x1f]")
_LONGEST_TEXT = 250
_MOST_EXTENDED = 16_000  # bytes of extended data that an entity may carry
_APPLICATION = "ONEMAP"
_TEXT_HEIGHT_M, _TEXT_HEIGHT_DEGREES = 2.5, 0.000025

Tag = tuple[int, object]


def write(selection: Selection, path: Path) -> int:
    """Write the shapes of a layer and its labels; the number of features."""
    layer = selection.scope.layer
    name = _NOT_IN_NAMES.sub("_", layer.name)
    before, after = _frame(name, selection)
    labelled = next((n for n, one in enumerate(selection.fields) if one.name == layer.label_field), None)
    height = _TEXT_HEIGHT_DEGREES if selection.crs.geographic else _TEXT_HEIGHT_M
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        drawn = _Entities(file, name, height)
        file.write(before)
        for rows in selection.rows():
            for fid, wkb, *values in rows:
                told = _extended([("fid", fid), *zip(selection.names, values, strict=True)])
                label = None if labelled is None else values[labelled]
                drawn.add(shapely.from_wkb(bytes(wkb)), label, told)
            count += len(rows)
        file.write(after)
    return count


def _frame(name: str, selection: Selection) -> tuple[str, str]:
    """All of an empty drawing before the first entity, and all after it."""
    drawing = new(_VERSION)
    drawing.header["$HANDSEED"] = _SEED
    drawing.header["$INSUNITS"] = 0 if selection.crs.geographic else 6  # metres
    drawing.appids.add(_APPLICATION)
    drawing.layers.add(name, color=7)
    drawing.layers.add(f"{name}_label", color=3)
    held = io.StringIO()
    drawing.write(held)
    text = re.sub(r"(\$HANDSEED\n\s*5\n)[0-9A-F]+", rf"\g<1>{_SEED}", held.getvalue())
    mark = text.index("  2\nENTITIES\n") + len("  2\nENTITIES\n")
    return text[:mark], text[mark:]


class _Entities:
    """Writes entities as groups of DXF tags."""

    def __init__(self, file: TextIO, name: str, height: float) -> None:
        self._file, self._name, self._height = file, name, height
        self._handle = _FIRST_HANDLE

    def add(self, shape: BaseGeometry, label: Any, told: list[Tag]) -> None:
        """Write one feature: its parts, the first with its attributes, and its label inside it."""
        for part in shapely.get_parts(shape):
            for tags in _drawn(part):
                self._write(self._name, [*tags, *told])
                told = []
        if label is not None and (text := _CONTROL.sub(" ", str(label))[:_LONGEST_TEXT].strip()):
            self._write(f"{self._name}_label", _text(shapely.point_on_surface(shape), text, self._height))

    def _write(self, layer: str, tags: Iterable[Tag]) -> None:
        (kind, *rest) = tags
        self._handle += 1
        head: list[Tag] = [kind, (5, f"{self._handle:X}"), (100, "AcDbEntity"), (8, layer)]
        self._file.write("".join(f"{code:>3}\n{value}\n" for code, value in (*head, *rest)))


def _extended(values: list[tuple[str, Any]]) -> list[Tag]:
    """Attributes as extended data; what has no value is left out."""
    tags: list[Tag] = [(1001, _APPLICATION)]
    left = _MOST_EXTENDED
    for name, value in values:
        if value is None:
            continue
        text = value.isoformat() if isinstance(value, date) else str(value)
        data = _CONTROL.sub(" ", f"{name}={text}").encode()[:_LONGEST_TEXT]
        left -= len(data) + 3
        if left < 0:
            break
        tags.append((1000, data.decode(errors="ignore")))
    return tags


def _drawn(part: BaseGeometry) -> Iterator[list[Tag]]:
    if part.geom_type == "Point":
        yield [(0, "POINT"), (100, "AcDbPoint"), (10, repr(part.x)), (20, repr(part.y)), (30, "0.0")]
    elif part.geom_type == "Polygon":
        for ring in (part.exterior, *part.interiors):
            yield _polyline(ring, closed=True)
    else:
        yield _polyline(part, closed=False)


def _polyline(line: BaseGeometry, *, closed: bool) -> list[Tag]:
    points = line.coords[:-1] if closed else line.coords[:]
    tags: list[Tag] = [(0, "LWPOLYLINE"), (100, "AcDbPolyline"), (90, len(points)), (70, int(closed))]
    for point in points:
        tags += [(10, repr(point[0])), (20, repr(point[1]))]
    return tags


def _text(place: BaseGeometry, text: str, height: float) -> list[Tag]:
    return [
        (0, "TEXT"),
        (100, "AcDbText"),
        (10, repr(place.x)),
        (20, repr(place.y)),
        (30, "0.0"),
        (40, height),
        (1, text),
        (100, "AcDbText"),
    ]
