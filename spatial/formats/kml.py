"""KML: placemarks with their names, folders and extended data; longitude and latitude of WGS 84.

Read from the stream of elements (OGC 12-007r2). Network links, overlays, models and tracks are counted, not
followed and not read. One layer for each of points, lines and polygons.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from spatial.formats import families
from spatial.formats.placing import bounds_of
from spatial.formats.recoding import as_utf8, line_samples
from spatial.formats.refusals import TooManyFields, UnreadableSource
from spatial.formats.source import MOST_FIELDS, Notes, Source, note
from spatial.formats.xmltext import declared_encoding, local, walk
from spatial.validity import Family

_MOST_PLACEMARKS = 2_000_000
_SHAPES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry"}
_UNREAD = {"GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Model", "Track", "MultiTrack", "Tour"}
_CONTAINERS = {"Folder", "Document"}
_OWN = ("name", "description", "folder")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_COMMA = re.compile(r"\s*,\s*")


def open_kml(path: Path, name: str, work: Path, encoding: str | None, layer: str | None) -> Source:
    """The placemarks of one family.

    Raises
    ------
    NotAllowedFormat
        It has a document type declaration.
    UnreadableSource
        Not well-formed, no KML, or beyond a limit.
    SourceLayerMissing
        It holds several families, and none was chosen.
    """
    link = work / "source.kml"
    used, sure = as_utf8(path, link, name, encoding, declared_encoding(path))
    found = _Placemarks(name)
    walk(link, name, found)
    if not found.is_kml:
        raise UnreadableSource(name, "there is no kml element", "没有 kml 元素")
    shapes = families.as_array(found.shapes)
    layers = families.split(shapes)
    chosen = families.choose(list(layers), layer)
    keep = layers[chosen]
    fields, table = families.text_table(
        {
            key: [row.get(key) for row, kept in zip(found.rows, keep, strict=True) if kept]
            for key in found.names
        }
    )
    family = next((one for one, told in families.LAYER_NAMES.items() if told == chosen), None)
    return Source(
        driver="KML",
        layer=name if len(layers) == 1 else chosen,
        layers=list(layers),
        fields=fields,
        count=int(keep.sum()),
        reader=partial(families.batches, shapes[keep], table),
        srid=4326,
        encoding=used,
        encoding_sure=sure,
        encoding_samples=[] if sure else line_samples(path),
        bounds=bounds_of(shapes[keep]),
        family=family,
        notes=_notes(found, family),
    )


def _notes(found: "_Placemarks", family: Family | None) -> Notes:
    notes: Notes = []
    links = found.unread.pop("NetworkLink", 0)
    if links:
        zh, en = "网络链接未读取", "network links were not followed"
        note(notes, "links-not-followed", zh, en, links)
    if found.unread:
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(found.unread.items()))
        zh, en = f"未读入的内容：{told}", f"not read: {told}"
        note(notes, "not-read", zh, en, sum(found.unread.values()))
    if found.broken:
        zh, en = "坐标无法读取，视为无坐标", "coordinates that cannot be read count as missing"
        note(notes, "bad-coordinates", zh, en, found.broken)
    if family is None:
        note(notes, "no-geometry", "没有坐标，只有属性", "no coordinates, attributes only")
    return notes


@dataclass(slots=True)
class _Shape:
    """A geometry under way: its coordinates, or its parts."""

    kind: str
    points: "np.ndarray[Any, np.dtype[np.float64]] | None" = None
    parts: list[Any] = field(default_factory=list)


class _Placemarks:
    """Gathers placemarks while the elements go by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_kml = False
        self.rows: list[dict[str, str]] = []
        self.shapes: list[Any] = []
        self.names: dict[str, str] = dict.fromkeys(_OWN, "")
        self.unread: Counter[str] = Counter()
        self.broken = 0
        self._path: list[str] = []
        self._folders: list[str] = []
        self._row: dict[str, str] | None = None
        self._open: list[_Shape] = []
        self._done: list[Any] = []
        self._key = ""
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = local(name)
        self.is_kml = self.is_kml or kind == "kml"
        if kind == "Placemark":
            self._row, self._open, self._done = {}, [], []
        elif kind in _CONTAINERS:
            self._folders.append("")
        elif kind in _UNREAD or kind == "NetworkLink":
            self.unread[kind] += 1
        elif kind in _SHAPES and self._row is not None:
            self._open.append(_Shape(kind))
        elif kind in {"Data", "SimpleData"}:
            self._key = attributes.get("name", "").strip() or "data"
        self._path.append(kind)
        self._text = []

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        kind = self._path.pop()
        parent = self._path[-1] if self._path else ""
        text = "".join(self._text).strip()
        self._text = []
        if kind == "coordinates" and self._open:
            self._open[-1].points = self._points(text)
        elif kind in _SHAPES and self._open:
            self._close_shape()
        elif kind == "Placemark":
            self._close_placemark()
        elif kind in _CONTAINERS:
            self._folders.pop()
        else:
            self._value(kind, parent, text)

    def _value(self, kind: str, parent: str, text: str) -> None:
        if kind == "name" and parent in _CONTAINERS:
            self._folders[-1] = text
        if self._row is None or not text:
            return
        if parent == "Placemark" and kind in {"name", "description"}:
            self._row[kind] = text
        elif (kind, parent) == ("value", "Data") or kind == "SimpleData":
            self._row[self._column()] = text

    def _column(self) -> str:
        """The column of the extended value under way; the names of a placemark's own parts stay theirs."""
        key = f"{self._key}_2" if self._key in _OWN else self._key
        self.names.setdefault(key, "")
        if len(self.names) > MOST_FIELDS:
            raise TooManyFields(count=len(self.names), limit=MOST_FIELDS)
        return key

    def _points(self, text: str) -> "np.ndarray[Any, np.dtype[np.float64]] | None":
        cells = [place.split(",") for place in _COMMA.sub(",", text).split()]
        if not cells or any(
            len(cell) not in {2, 3} or not all(_NUMBER.fullmatch(number) for number in cell[:2])
            for cell in cells
        ):
            return None
        points = np.array([[float(cell[0]), float(cell[1])] for cell in cells])
        return points if np.isfinite(points).all() else None

    def _close_shape(self) -> None:
        shape = self._open.pop()
        built = shape.points if shape.kind == "LinearRing" and self._open else _built(shape)
        if self._open:
            self._open[-1].parts.append(built)
        else:
            self._done.append(built)

    def _close_placemark(self) -> None:
        if self._row is None:
            return
        if len(self.rows) >= _MOST_PLACEMARKS:
            raise UnreadableSource(self.name, "more than 2,000,000 placemarks", "地标超过 2,000,000 个")
        shape = _gathered(self._done) if self._done else None
        self.broken += bool(self._done) and shape is None
        self._row["folder"] = "/".join(folder for folder in self._folders if folder)
        self.rows.append({key: value for key, value in self._row.items() if value})
        self.shapes.append(shape)
        self._row = None


def _built(shape: _Shape) -> Any:
    """The geometry of a finished element; None where its coordinates do not make one."""
    if shape.kind == "MultiGeometry":
        return _gathered(shape.parts)
    if shape.kind == "Polygon":
        rings = [part for part in shape.parts if isinstance(part, np.ndarray)]
        return families.polygon(rings) if rings and len(rings) == len(shape.parts) else None
    points = shape.points
    if points is None:
        return None
    if shape.kind == "Point":
        return shapely.Point(points[0]) if len(points) == 1 else None
    return shapely.LineString(points) if len(points) > 1 else None


def _gathered(parts: list[Any]) -> Any:
    """Several geometries as one; None if one of them is none."""
    if not parts or any(part is None or isinstance(part, np.ndarray) for part in parts):
        return None
    if len(parts) == 1:
        return parts[0]
    kinds = {part.geom_type for part in parts}
    gather = {
        "Point": shapely.multipoints,
        "LineString": shapely.multilinestrings,
        "Polygon": shapely.multipolygons,
    }
    only = kinds.pop() if len(kinds) == 1 else ""
    return gather[only](parts) if only in gather else shapely.geometrycollections(parts)
