"""Shapefiles: shapes by GDAL, attributes by our own reader, system and encoding from the files beside them.

GDAL is given only links to the .shp and .shx under made-up names, so no side-car (.qix, .sbn, .cpg, .prj)
can speak to it. Source: ESRI Shapefile Technical Description (1998).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spatial.crs import crs_of, identify_wkt
from spatial.formats.dbf import DbfTable
from spatial.formats.encodings import Verdict, codec_named, decide
from spatial.formats.gdal import GdalLayer
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Batch, Notes, Source, SourceField, note
from spatial.validity import Family

MEMBERS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
MAGIC = b"\x00\x00\x27\x0a"
_HEADER = 100
_LONGEST_SIDECAR = 20_000
_FAMILIES = {1: Family.POINT, 3: Family.LINE, 5: Family.POLYGON, 8: Family.POINT}


@dataclass(frozen=True, slots=True)
class _Attributes:
    """The table beside the shapes: its fields, all its records, and which of them count."""

    fields: tuple[SourceField, ...]
    table: pa.Table
    deleted: NDArray[np.bool_]


def open_shapefile(members: dict[str, Path], layer: str, work: Path, encoding: str | None) -> Source:
    """The layer of one shapefile.

    Parameters
    ----------
    members : dict
        Suffix in lower case ('.shp', '.dbf', …) to file.
    layer : str
        What the layer is called.
    work : Path
        An empty folder of our own.
    encoding : str, optional
        A person's choice for the .dbf.

    Raises
    ------
    UnreadableSource
        A part is missing, cut off or contradicts another.
    ObfuscatedDatum
        The .prj declares GCJ-02 or BD-09.
    WrongEncoding
        The choice does not decode the text.
    """
    notes: Notes = []
    count, kind = _check_shapes(members, layer)
    for suffix in (".shp", ".shx"):
        (work / f"source{suffix}").symlink_to(members[suffix].resolve())
    shapes = GdalLayer(work / "source.shp", layer)
    srid, crs_note = _system(members.get(".prj"))
    if srid is not None and crs_of(srid).geographic:
        shapes.measure_in_degrees()
    if kind > 8:
        note(notes, "has-z", "含高程或测量值", "heights or measures are present", count)
    table = DbfTable(members[".dbf"], layer) if ".dbf" in members else None
    if table is None:
        note(
            notes, "no-attributes", "没有 .dbf，要素没有属性", "there is no .dbf: features have no attributes"
        )
    verdict, attributes = _attributes(table, members.get(".cpg"), encoding, count, layer, notes)
    return Source(
        driver="ESRI Shapefile",
        layer=layer,
        layers=[layer],
        fields=attributes.fields,
        count=count - int(np.count_nonzero(attributes.deleted)),
        reader=partial(_batches, shapes, attributes, notes),
        srid=srid,
        crs_note=crs_note,
        encoding=verdict.encoding,
        encoding_sure=verdict.sure,
        encoding_samples=table.samples() if table is not None and not verdict.sure else [],
        bounds=shapes.bounds,
        family=_FAMILIES.get(kind % 10),
        notes=notes,
    )


def _check_shapes(members: dict[str, Path], layer: str) -> tuple[int, int]:
    """Number of shapes and their type, once the headers of .shp and .shx agreed with the files."""
    for suffix in (".shp", ".shx"):
        if suffix not in members:
            raise UnreadableSource(layer, f"the {suffix} file is missing", f"缺少 {suffix} 文件")
    head, index = _head(members[".shp"]), _head(members[".shx"])
    if not head.startswith(MAGIC) or not index.startswith(MAGIC) or len(head) < _HEADER:
        raise UnreadableSource(layer, "the .shp or .shx header is broken", "shp 或 shx 文件头损坏")
    said, (kind,) = struct.unpack(">i", head[24:28])[0] * 2, struct.unpack("<i", head[32:36])
    if said > members[".shp"].stat().st_size or said < _HEADER:
        raise UnreadableSource(layer, "the .shp is cut off", "shp 文件不完整")
    return (members[".shx"].stat().st_size - _HEADER) // 8, int(kind)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER)


def _system(prj: Path | None) -> tuple[int | None, str | None]:
    if prj is None:
        return None, "没有 .prj 文件 / there is no .prj file"
    text = _sidecar(prj)
    srid = identify_wkt(text)
    if srid is not None:
        return srid, None
    name = text[:80].split('"')[1] if text[:80].count('"') > 1 else text[:40]
    return None, f".prj 不是可接受的坐标系 / the .prj is no accepted system: {name!r}"


def _sidecar(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_LONGEST_SIDECAR)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _attributes(
    table: DbfTable | None, cpg: Path | None, encoding: str | None, count: int, layer: str, notes: Notes
) -> tuple[Verdict, _Attributes]:
    if table is None:
        empty = pa.table({"row": pa.nulls(count)}).select([])
        return Verdict("utf-8", True), _Attributes((), empty, np.zeros(count, dtype=bool))
    if table.count != count:
        raise UnreadableSource(
            layer, f"{count} shapes, but {table.count} records", f"图形 {count} 个，属性 {table.count} 条"
        )
    verdict = encoding_of(table, cpg, encoding, notes)
    fields, rows = table.read(verdict.encoding, notes)
    if table.deleted.any():
        zh, en = "已标记删除的记录未读入", "records marked as deleted were not read"
        note(notes, "deleted-records", zh, en, int(np.count_nonzero(table.deleted)))
    return verdict, _Attributes(fields, rows, table.deleted)


def encoding_of(table: DbfTable, cpg: Path | None, encoding: str | None, notes: Notes) -> Verdict:
    """How the text of a .dbf is to be decoded, by a choice, the .cpg beside it, or what the text looks like.

    Raises
    ------
    WrongEncoding
        The choice does not decode the text.
    """
    declared = _sidecar(cpg).strip()[:40] if cpg is not None else None
    if declared and codec_named(declared) is None:
        zh, en = f".cpg 写的“{declared}”不认识", f"the .cpg names '{declared}', which is not known"
        note(notes, "cpg-unknown", zh, en)
    verdict = decide(table.texts(), explicit=encoding, declared=declared, ldid=table.ldid)
    if not verdict.sure:
        code = "cpg-contradicted" if declared and codec_named(declared) else "encoding-doubtful"
        note(notes, code, verdict.doubt_zh, verdict.doubt_en)
    return verdict


def _batches(shapes: GdalLayer, attributes: _Attributes, notes: Notes, size: int) -> Iterator[Batch]:
    """Shapes with their records, without those marked deleted."""
    start = 0
    place = 0
    for batch in shapes.batches(size, notes):
        keep = ~attributes.deleted[place : place + len(batch.geometries)]
        rows = attributes.table.slice(place, len(keep))
        place += len(keep)
        if not keep.all():
            rows = rows.filter(pa.array(keep))
        yield Batch(start, batch.geometries[keep], rows)
        start += int(np.count_nonzero(keep))
