"""Opening a file, folder or zip: its format by content and suffix together, then one layer of it."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from spatial.formats import flatgeobuf, geopackage, shapefile
from spatial.formats.archive import unpack
from spatial.formats.converting import TARGETS, refuse_or_convert
from spatial.formats.corners import is_corner_list, open_corners
from spatial.formats.dbftable import open_dbf
from spatial.formats.delimited import open_delimited
from spatial.formats.filegdb import open_filegdb
from spatial.formats.flatgeobuf import open_flatgeobuf
from spatial.formats.gathering import (
    JSON,
    RASTERS,
    TEXT,
    XML,
    DataSet,
    beside,
    gather,
    in_folder,
    members_of,
    wanted,
)
from spatial.formats.geojson import open_geojson
from spatial.formats.geopackage import open_geopackage
from spatial.formats.geoparquet import open_geoparquet
from spatial.formats.gml import open_gml
from spatial.formats.kml import open_kml
from spatial.formats.landtext import is_land_text, open_land_text
from spatial.formats.mapinfo import open_mif, open_tab
from spatial.formats.refusals import NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.formats.shapefile import open_shapefile
from spatial.formats.source import Source, note
from spatial.numbers import shown

LAYERED = (".gpkg", ".gdb", ".xlsx", ".dxf", ".gml", ".kml", ".kmz", *TARGETS)
_OF_PARTS = (".shp", ".gdb", ".tab", ".mif")
_OWN_CHECK = (".gdb", ".dxf", ".tab", ".mif", ".dbf", *TARGETS)
_ZIP = b"PK\x03\x04"
_MAGIC = {
    ".gpkg": geopackage.MAGIC,
    ".fgb": flatgeobuf.MAGIC,
    ".shp": shapefile.MAGIC,
    ".xlsx": _ZIP,
    ".zip": _ZIP,
    ".kmz": _ZIP,
    ".parquet": b"PAR1",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_START = 4_096
_FOREIGN_STARTS = (
    b"<",
    b"PK",
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"SQLite format",
    b"fgb",
)


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    source_layer: str | None = None,
    work: Path | None = None,
    name: str | None = None,
) -> Source:
    """One layer of a file, a folder or a zip archive.

    Parameters
    ----------
    path : Path
        A file of a format that is read, a zip of them, a folder with them, or a .gdb folder.
    encoding : str, optional
        A person's choice for text whose encoding the file does not say.
    source_layer : str, optional
        Which layer, where there are several.
    work : Path, optional
        A folder that this may write into and that outlives the source; a temporary one by default.
    name : str, optional
        What a single file was called, without suffix, where its path does not say so.

    Raises
    ------
    NotAllowedFormat, UnreadableSource, ArchiveTooBig, SourceLayerMissing, TooManyFields, WrongEncoding
        As their names say.
    NeedsConversion, ConversionFailed
        A closed format.
    ObfuscatedDatum, UnknownCrs
        The file declares a system that is refused.
    """
    room = Path(tempfile.mkdtemp(prefix="onemap-", dir=work))
    try:
        source = _source(path, room, encoding, source_layer, name)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
    weakref.finalize(source, shutil.rmtree, room, ignore_errors=True)
    return source


def _source(
    path: Path, room: Path, encoding: str | None, source_layer: str | None, name: str | None
) -> Source:
    sets, left_out = _find(path, shown(path.name, 80), room)
    if name is not None and len(sets) == 1:
        sets[0].name = name
    chosen, inner = _choose(sets, source_layer)
    source = _open(chosen, room, encoding, inner)
    if len(sets) > 1:
        source.layers = [found.name for found in sets]
    if left_out:
        told = ", ".join(shown(item, 40) for item in left_out[:10])
        note(
            source.notes, "members-ignored", f"未读入的文件：{told}", f"files not read: {told}", len(left_out)
        )
    return source


def _find(path: Path, name: str, room: Path) -> tuple[list[DataSet], list[str]]:
    """The data sets at a path, and the names of files that belong to none."""
    suffix = path.suffix.lower()
    if path.is_dir():
        if suffix == ".gdb":
            members = members_of(path.parent, sorted(path.iterdir()), name)
        else:
            members = in_folder(path, name)
        return _preferred(*gather(members), name)
    if not path.is_file():
        raise UnreadableSource(name, "there is no such file", "文件不存在")
    if suffix == ".zip":
        _check_content(path, suffix, name)
        unpacked = room / "unpacked"
        unpacked.mkdir()
        members, left_out = unpack(path, name, unpacked, wanted)
        sets, others = gather(members)
        return _preferred(sets, [*left_out, *others], name)
    return [beside(path)], []


def _preferred(sets: list[DataSet], left_out: list[str], name: str) -> tuple[list[DataSet], list[str]]:
    """The data sets of the most telling kind: those of several files, then single files, then bare tables."""
    ranks = [
        [one for one in sets if one.suffix in _OF_PARTS],
        [one for one in sets if one.suffix not in {*_OF_PARTS, *RASTERS, ".dbf"}],
        [one for one in sets if one.suffix == ".dbf"],
    ]
    found = next((rank for rank in ranks if rank), None)
    if found is None:
        raise NotAllowedFormat(name, "nothing in it is of a format that is read", "其中没有可读的格式")
    others = [f"{one.name}{one.suffix}" for one in sets if one not in found]
    return found, [*left_out, *others]


def _choose(sets: list[DataSet], source_layer: str | None) -> tuple[DataSet, str | None]:
    """The data set to open, and which layer inside it."""
    if len(sets) == 1:
        own = sets[0].suffix not in LAYERED and source_layer is not None
        if own and source_layer != sets[0].name:
            raise SourceLayerMissing(layers=[sets[0].name])
        return sets[0], source_layer
    for found in sets:
        if source_layer == found.name:
            return found, None
    raise SourceLayerMissing(layers=[found.name for found in sets])


def _open(chosen: DataSet, room: Path, encoding: str | None, inner: str | None) -> Source:
    suffix, name, files, path = chosen.suffix, shown(chosen.name, 200), chosen.files, chosen.path
    _check_content(path, suffix, name)
    if suffix in TARGETS:
        made = refuse_or_convert(path, name, room)
        return _open(DataSet(chosen.name, TARGETS[suffix], {TARGETS[suffix]: made}), room, encoding, inner)
    openers: dict[str, Callable[[], Source]] = {
        ".gpkg": lambda: open_geopackage(path, name, room, inner),
        ".gdb": lambda: open_filegdb(files, name, room, inner),
        ".shp": lambda: open_shapefile(files, name, room, encoding),
        ".dbf": lambda: open_dbf(files, name, encoding),
        ".tab": lambda: open_tab(files, name, room, encoding),
        ".mif": lambda: open_mif(files, name, room, encoding),
        ".fgb": lambda: open_flatgeobuf(path, name, room),
        ".xlsx": lambda: _weighty("workbook").open_workbook(path, name, inner),
        ".parquet": lambda: open_geoparquet(path, name),
        ".dxf": lambda: _weighty("dxf").open_dxf(path, name, room, encoding, inner),
        ".gml": lambda: open_gml(path, name, room, encoding, inner),
        ".kml": lambda: open_kml(path, name, room, encoding, inner),
        ".kmz": lambda: _open_kmz(path, name, room, encoding, inner),
        **dict.fromkeys(JSON, lambda: open_geojson(path, name, room, encoding)),
        **dict.fromkeys(TEXT, lambda: _open_text(path, name, encoding)),
    }
    return openers[suffix]()


def _weighty(name: str) -> Any:
    """The reader of a format whose library takes longer to import than all the rest; most processes never need it."""
    return import_module(f"spatial.formats.{name}")


def _open_kmz(path: Path, name: str, room: Path, encoding: str | None, inner: str | None) -> Source:
    """The first document of a KMZ, which is the one it is about (OGC 12-007r2, annex C)."""
    unpacked = room / "kmz"
    unpacked.mkdir()
    members, _ = unpack(path, name, unpacked, lambda member: member.lower().endswith(".kml"))
    if not members:
        raise UnreadableSource(name, "there is no .kml in it", "其中没有 kml 文件")
    _check_content(members[0].path, ".kml", name)
    return open_kml(members[0].path, name, room, encoding, inner)


def _open_text(path: Path, name: str, encoding: str | None) -> Source:
    """A text by what it begins with: a land ministry text, a list of corners, or a table."""
    with path.open("rb") as file:
        start = file.read(_START)
    if is_land_text(start):
        return open_land_text(path, name, encoding)
    if is_corner_list(start):
        return open_corners(path, name, encoding)
    return open_delimited(path, name, encoding)


def _check_content(path: Path, suffix: str, name: str) -> None:
    """Refuse a file whose first bytes are not those of its suffix."""
    if suffix in _OWN_CHECK:
        return
    if suffix not in {*_MAGIC, *JSON, *TEXT, *XML}:
        raise NotAllowedFormat(name, f"'{shown(suffix, 12)}' is not read", f"不读取“{shown(suffix, 12)}”格式")
    with path.open("rb") as file:
        start = file.read(64)
    plain = b"\x00" not in start or start[:2] in _UTF16
    if suffix in _MAGIC:
        fits = start.startswith(_MAGIC[suffix])
    elif suffix in XML:
        fits = plain and (
            start[:2] in _UTF16 or start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
        )
    else:
        fits = plain and not start.startswith(_FOREIGN_STARTS)
    if not fits:
        raise NotAllowedFormat(name, f"its content is not {suffix}", f"内容与后缀 {suffix} 不符")
