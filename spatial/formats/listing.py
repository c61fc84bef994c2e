"""Everything that can be delivered in a folder, a zip or a geodatabase: layers, tables and rasters.

Nothing is read in whole. Names shown are those people gave; the paths are of our own making where the files
came out of an archive, and the delivered ones in a folder.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from spatial.errors import OnemapError
from spatial.formats.archive import unpack
from spatial.formats.filegdb import list_filegdb
from spatial.formats.gathering import RASTERS, TEXT, DataSet, beside, gather, members_of, wanted
from spatial.formats.geopackage import list_geopackage
from spatial.formats.opening import LAYERED, open_source
from spatial.formats.refusals import NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.numbers import shown

MOST_FILES = 20_000
_TABLE_FORMATS = (".dbf",)
_MAYBE_TABLES = (*TEXT, ".parquet", ".xlsx")


@dataclass(frozen=True, slots=True)
class SourceLayer:
    """One thing that can be opened by itself.

    Attributes
    ----------
    name : str
        What it was called: the file without suffix; inside a geodatabase, a GeoPackage or a workbook of
        several sheets the name there; of drawings and the like 'file/polygons'.
    path : Path
        For `open_source`, or for the reader of rasters.
    source_layer : str or None
        To pass along with the path.
    kind : str
        'layer', 'table' or 'raster'.
    format : str
        Suffix in lower case, with the dot.
    """

    name: str
    path: Path
    source_layer: str | None
    kind: str
    format: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found, in its order, and the names of what is not read."""

    items: list[SourceLayer]
    left_out: list[str]


def list_layers(path: Path, work: Path) -> Listing:
    """All layers, tables and rasters at a path.

    Parameters
    ----------
    path : Path
        A folder (with all below it), a zip, a .gdb folder, or a single file.
    work : Path
        A folder of our own; it has to outlive the paths that are answered.

    Raises
    ------
    NotAllowedFormat
        Links, archives within archives, or nothing that is read.
    ArchiveTooBig
        The archive unpacks to more than is taken.
    UnreadableSource
        The archive is broken, or there are too many files.

    Notes
    -----
    A single broken file is no reason to refuse the others: it is listed, and refused when it is opened.
    """
    name = shown(path.name, 80)
    sets, left_out = _sets(path, work, name)
    room = work / "listing"
    room.mkdir()
    items = [item for number, one in enumerate(sets) for item in _layers(one, room / f"{number:05d}")]
    if not items:
        raise NotAllowedFormat(name, "nothing in it is of a format that is read", "其中没有可读的格式")
    return Listing(items, left_out)


def _sets(path: Path, work: Path, name: str) -> tuple[list[DataSet], list[str]]:
    if path.is_dir():
        inside_gdb = path.suffix.lower() == ".gdb"
        return gather(members_of(path.parent if inside_gdb else path, _below(path, name), name))
    if not path.is_file():
        raise UnreadableSource(name, "there is no such file", "文件不存在")
    if path.suffix.lower() == ".zip":
        return _unpacked(path, work, name)
    return [beside(path)], []


def _below(path: Path, name: str) -> Iterator[Path]:
    """All files below a folder in a fixed order; links are handed on, for the caller to refuse."""
    count = 0
    for folder, folders, files in os.walk(path, followlinks=False):
        folders.sort()
        linked = [one for one in folders if (Path(folder) / one).is_symlink()]
        for one in sorted([*files, *linked]):
            count += 1
            if count > MOST_FILES:
                raise UnreadableSource(name, f"more than {MOST_FILES} files", f"文件超过 {MOST_FILES} 个")
            yield Path(folder) / one


def _unpacked(path: Path, work: Path, name: str) -> tuple[list[DataSet], list[str]]:
    with path.open("rb") as file:
        if not file.read(4).startswith(b"PK\x03\x04"):
            raise NotAllowedFormat(name, "its content is not .zip", "内容与后缀 .zip 不符")
    into = work / "unpacked"
    into.mkdir()
    members, left_out = unpack(path, name, into, _wanted)
    sets, others = gather(members)
    return [_settled(one, work / "sets" / f"{number:05d}") for number, one in enumerate(sets)], [
        *left_out,
        *others,
    ]


def _wanted(member: str) -> bool:
    return wanted(member) or PurePosixPath(member).suffix.lower() in RASTERS


def _settled(one: DataSet, folder: Path) -> DataSet:
    """The files of a data set moved together under one generated name, as those who open it expect."""
    if one.suffix == ".gdb":
        folder = folder / "source.gdb"
    folder.mkdir(parents=True)
    files = {}
    for key, path in one.files.items():
        files[key] = path.rename(folder / (key if one.suffix == ".gdb" else f"source{key}"))
    return replace(one, files=files)


def _layers(one: DataSet, room: Path) -> list[SourceLayer]:
    """The layers of a data set; one that cannot be listed stays one item, to be refused when it is opened."""
    name = shown(one.name, 200)
    whole = SourceLayer(name, one.path, None, "layer", one.suffix)
    if one.suffix in RASTERS:
        return [replace(whole, kind="raster")]
    if one.suffix in _TABLE_FORMATS:
        return [replace(whole, kind="table")]
    room.mkdir()
    try:
        if one.suffix in _LISTED:
            return [
                SourceLayer(inner, one.path, inner, "layer" if has_geometry else "table", one.suffix)
                for inner, has_geometry in _LISTED[one.suffix](one, name, room)
            ]
        if one.suffix in LAYERED or one.suffix in _MAYBE_TABLES:
            return list(_opened(whole, room))
    except OnemapError:
        return [whole]
    return [whole]


_LISTED: dict[str, Callable[[DataSet, str, Path], list[tuple[str, bool]]]] = {
    ".gpkg": lambda one, name, room: list_geopackage(one.path, name, room),
    ".gdb": lambda one, name, room: list_filegdb(one.files, name, room),
}


def _opened(whole: SourceLayer, room: Path) -> Iterator[SourceLayer]:
    """The layers of a file that has to be opened to know them."""
    try:
        source = open_source(whole.path, work=room, name=whole.name)
    except SourceLayerMissing as missing:
        found = missing.facts["layers"]
        for inner in found if isinstance(found, list) else []:
            yield _inner(whole, str(inner), room)
        return
    yield replace(whole, kind="table" if source.family is None else "layer")


def _inner(whole: SourceLayer, inner: str, room: Path) -> SourceLayer:
    if whole.format != ".xlsx":
        return replace(whole, name=f"{whole.name}/{inner}", source_layer=inner)
    try:
        family = open_source(whole.path, source_layer=inner, work=room).family
    except OnemapError:
        family = None
    return replace(whole, name=inner, source_layer=inner, kind="table" if family is None else "layer")
