"""FlatGeobuf: its header is read here for the coordinate system, the rest by GDAL.

Layout: magic, length of the header, header as a flatbuffer (flatgeobuf.org, header.fbs version 3).
"""

import struct
from functools import partial
from pathlib import Path

from spatial.crs import INPUT_SRIDS, crs_of, identify_wkt
from spatial.formats.gdal import GdalLayer
from spatial.formats.refusals import UnreadableSource
from spatial.formats.source import Notes, Source

MAGIC = b"fgb\x03fgb"
_LARGEST_HEADER = 10_000_000
_CRS_SLOT = 10
_ORG_SLOT, _CODE_SLOT, _WKT_SLOT = 0, 1, 4


class _Table:
    """One table of a flatbuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def place(self, slot: int) -> int | None:
        """Where a field lies, None if it is left out."""
        (back,) = struct.unpack_from("<i", self.data, self.at)
        slots = self.at - back
        (length,) = struct.unpack_from("<H", self.data, slots)
        if 4 + 2 * slot >= length:
            return None
        (offset,) = struct.unpack_from("<H", self.data, slots + 4 + 2 * slot)
        return self.at + offset if offset else None

    def child(self, slot: int) -> "_Table | None":
        at = self.place(slot)
        return None if at is None else _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])

    def text(self, slot: int) -> str:
        found = self.child(slot)
        if found is None:
            return ""
        (length,) = struct.unpack_from("<I", self.data, found.at)
        return self.data[found.at + 4 : found.at + 4 + length].decode("utf-8", "replace")

    def integer(self, slot: int) -> int:
        at = self.place(slot)
        return 0 if at is None else int(struct.unpack_from("<i", self.data, at)[0])


def open_flatgeobuf(path: Path, name: str, work: Path) -> Source:
    """The layer of a FlatGeobuf file.

    Raises
    ------
    UnreadableSource
        The header is broken, or names its system by an authority other than EPSG.
    ObfuscatedDatum
        The definition of its system declares GCJ-02 or BD-09.
    """
    srid, crs_note = _system(path, name)
    link = work / "source.fgb"
    link.symlink_to(path.resolve())
    layer = GdalLayer(link, name, VERIFY_BUFFERS="YES")
    if srid is not None and crs_of(srid).geographic:
        layer.measure_in_degrees()
    notes: Notes = []
    return Source(
        driver="FlatGeobuf",
        layer=name,
        layers=[name],
        fields=layer.fields,
        count=layer.count,
        reader=partial(layer.batches, notes=notes),
        srid=srid,
        crs_note=crs_note,
        bounds=layer.bounds,
        family=layer.family(notes),
        notes=notes,
    )


def _system(path: Path, name: str) -> tuple[int | None, str | None]:
    broken = UnreadableSource(name, "the header is broken", "文件头损坏")
    with path.open("rb") as file:
        size = int.from_bytes(file.read(12)[8:], "little")
        if not 8 <= size <= _LARGEST_HEADER:
            raise broken
        header = file.read(size)
    try:
        root = _Table(header, struct.unpack_from("<I", header, 0)[0])
        crs = root.child(_CRS_SLOT)
        if crs is None:
            return None, "文件没有声明坐标系 / the file declares no system"
        authority, code, wkt = crs.text(_ORG_SLOT), crs.integer(_CODE_SLOT), crs.text(_WKT_SLOT)
    except (struct.error, IndexError):
        raise broken from None
    if authority.upper() not in {"", "EPSG", "OGC"}:
        raise UnreadableSource(name, "its system is not named by EPSG", "坐标系不是 EPSG 编号")
    by_text = identify_wkt(wkt) if wkt else None
    if code in INPUT_SRIDS:
        return code, None
    told = f"EPSG:{code}" if code else "WKT"
    refused = f"声明的坐标系不可接受 / the declared system is not accepted: {told}"
    return (by_text, None) if by_text is not None else (None, refused)
