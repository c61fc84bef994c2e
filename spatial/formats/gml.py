"""GML 2 and 3: a cleaned copy is made first, and only that is read by GDAL.

The copy has no srsName, no xlink:href and no schemaLocation, so nothing of the file is looked up anywhere:
the system is matched here by pattern, and the axes are put in order here. Text stays text while it is read;
a column becomes numbers only where every value is one in its usual form.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyogrio
import shapely

from spatial.crs import INPUT_SRIDS, Crs, UnknownCrs, crs_of, parse_crs, refuse_obfuscated
from spatial.formats import families
from spatial.formats.columns import ARROW_TYPES
from spatial.formats.gdal import GdalLayer
from spatial.formats.placing import type_name, typed
from spatial.formats.recoding import as_utf8, line_samples
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Notes, Source, SourceField, note
from spatial.formats.xmltext import declared_encoding, local, walk
from spatial.numbers import BBox

_SCAN_ROWS = 50_000
_SYSTEMS = ("srsName",)
_DROPPED = {"srsName", "schemaLocation", "noNamespaceSchemaLocation", "base"}
_AUTHORITY_FORMS = ("urn:", "http://www.opengis.net/def/", "https://www.opengis.net/def/")


def open_gml(path: Path, name: str, work: Path, encoding: str | None, layer: str | None) -> Source:
    """One feature type of a GML document.

    Raises
    ------
    NotAllowedFormat
        It has a document type declaration.
    UnreadableSource
        Not well-formed, or without features.
    UnknownCrs
        It names a system that is not accepted, or several.
    SourceLayerMissing
        It holds several feature types, and none was chosen.
    """
    text, cleaned = work / "source.xml", work / "source.gml"
    used, sure = as_utf8(path, text, name, encoding, declared_encoding(path))
    with cleaned.open("w", encoding="utf-8", newline="") as target:
        copy = _Copy(target)
        walk(text, name, copy)
    names = _feature_types(cleaned, name)
    chosen = families.choose(names, layer)
    table = GdalLayer(cleaned, name, chosen)
    system, north_first = _system(copy.systems)
    if system is not None and system.geographic:
        table.measure_in_degrees()
    notes: Notes = []
    if copy.links:
        note(notes, "links-not-followed", "链接未读取", "links were not followed", copy.links)
    fields = _fields(table)
    return Source(
        driver="GML",
        layer=chosen,
        layers=names,
        fields=fields,
        count=table.count,
        reader=partial(_batches, table, fields, north_first, notes),
        srid=system.srid if system is not None else None,
        crs_note=None if system is not None else "文件没有声明坐标系 / the file declares no system",
        encoding=used,
        encoding_sure=sure,
        encoding_samples=[] if sure else line_samples(path),
        bounds=_bounds(table.bounds, north_first),
        family=table.family(notes),
        notes=notes,
    )


class _Copy:
    """Writes the elements again, without the attributes that point elsewhere."""

    def __init__(self, target: IO[str]) -> None:
        self.target = target
        self.systems: Counter[str] = Counter()
        self.links = 0
        self.hidden = 0  # depth inside a boundedBy, which GDAL would take for attributes
        target.write('<?xml version="1.0" encoding="UTF-8"?>\n')

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.hidden or local(name) == "boundedBy":
            self.hidden += 1
            return
        kept = []
        for key, value in attributes.items():
            plain = local(key)
            if plain in _SYSTEMS:
                self.systems[value.strip()[:200]] += 1
            if plain == "href":
                self.links += 1
            elif plain not in _DROPPED:
                kept.append(f" {key}={quoteattr(value)}")
        self.target.write(f"<{name}{''.join(kept)}>")

    def text(self, data: str) -> None:
        if not self.hidden:
            self.target.write(escape(data))

    def end(self, name: str) -> None:
        if self.hidden:
            self.hidden -= 1
        else:
            self.target.write(f"</{name}>")


def _feature_types(cleaned: Path, name: str) -> list[str]:
    try:
        found = [str(row[0]) for row in pyogrio.list_layers(cleaned)]
    except (RuntimeError, OSError):
        found = []
    if not found:
        raise UnreadableSource(name, "there are no features in it", "其中没有要素")
    return found


def _system(systems: Counter[str]) -> tuple[Crs | None, bool]:
    """The one system that is named, and whether its coordinates come north before east.

    The short form EPSG:n means east before north by long custom; the URN and the address mean the order of
    the definition (OGC 07-036r1, clause 9.10).
    """
    found: dict[int, Crs] = {}
    orders = set()
    for named in systems:
        refuse_obfuscated(named)
        legacy = named.rpartition("#")[2] if "epsg.xml#" in named else ""
        system = parse_crs(f"EPSG:{legacy}" if legacy else named, INPUT_SRIDS)
        found[system.srid] = system
        orders.add(system.north_first and named.lower().startswith(_AUTHORITY_FORMS))
    if len(found) > 1 or len(orders) > 1:
        raise UnknownCrs(crs="several srsName", accepted="one")
    if not found:
        return None, False
    srid, north_first = next(iter(found)), orders.pop()
    return crs_of(srid), north_first


def _bounds(box: BBox | None, north_first: bool) -> BBox | None:
    if box is None or not north_first:
        return box
    return BBox(box[1], box[0], box[3], box[2])


def _fields(table: GdalLayer) -> tuple[SourceField, ...]:
    """Types of the columns after one look at every value."""
    kinds: dict[str, set[str]] = {one.name: set() for one in table.fields}
    for batch in table.batches(_SCAN_ROWS, []):
        for one in table.fields:
            column = batch.table.column(one.name)
            if one.type == "text" and column.null_count < len(column):
                kinds[one.name].add(type_name(typed(column).type))
    return tuple(
        SourceField(one.name, _joined(kinds[one.name])) if one.type == "text" else one for one in table.fields
    )


def _joined(kinds: set[str]) -> str:
    if kinds == {"integer"}:
        return "integer"
    return "real" if kinds and kinds <= {"integer", "real"} else "text"


def _batches(
    table: GdalLayer, fields: tuple[SourceField, ...], north_first: bool, notes: Notes, size: int
) -> Iterator[Batch]:
    for batch in table.batches(size, notes):
        columns = [batch.table.column(one.name).cast(ARROW_TYPES[one.type]) for one in fields]
        shapes = batch.geometries
        if north_first:
            shapes = shapely.transform(shapes, lambda points: points[:, ::-1])
        yield Batch(batch.start, shapes, pa.table(columns, names=[one.name for one in fields]))
