"""Opening a file, folder or zip: its format by content and suffix together, then one layer of it."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spatial.formats import flatgeobuf, geopackage, shapefile
from spatial.formats.archive import Member, unpack
from spatial.formats.delimited import open_delimited
from spatial.formats.flatgeobuf import open_flatgeobuf
from spatial.formats.geojson import open_geojson
from spatial.formats.geopackage import open_geopackage
from spatial.formats.refusals import NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.formats.shapefile import open_shapefile
from spatial.formats.source import Source, note
from spatial.numbers import shown

_JSON = (".geojson", ".json")
_TEXT = (".csv", ".txt", ".tsv")
SINGLES = (".gpkg", ".fgb", *_JSON, *_TEXT)
_READ = frozenset({*SINGLES, *shapefile.MEMBERS})
_MAGIC = {".gpkg": geopackage.MAGIC, ".fgb": flatgeobuf.MAGIC, ".shp": shapefile.MAGIC, ".zip": b"PK\x03\x04"}
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


@dataclass(slots=True)
class _DataSet:
    """Files that belong together: one, or the parts of a shapefile."""

    name: str
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        return ".shp" if ".shp" in self.files else next(iter(self.files))


def open_source(
    path: Path, *, encoding: str | None = None, source_layer: str | None = None, work: Path | None = None
) -> Source:
    """One layer of a file, a folder or a zip archive.

    Parameters
    ----------
    path : Path
        .gpkg, .shp, .geojson, .json, .csv, .txt, .tsv, .fgb, .zip, or a folder with one of these.
    encoding : str, optional
        A person's choice for text whose encoding the file does not say.
    source_layer : str, optional
        Which layer, where there are several.
    work : Path, optional
        A folder that this may write into and that outlives the source; a temporary one by default.

    Raises
    ------
    NotAllowedFormat, UnreadableSource, ArchiveTooBig, SourceLayerMissing, TooManyFields, WrongEncoding
        As their names say.
    ObfuscatedDatum, UnknownCrs
        The file declares a system that is refused.
    """
    room = Path(tempfile.mkdtemp(prefix="onemap-", dir=work))
    try:
        source = _source(path, room, encoding, source_layer)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
    weakref.finalize(source, shutil.rmtree, room, ignore_errors=True)
    return source


def _source(path: Path, room: Path, encoding: str | None, source_layer: str | None) -> Source:
    sets, left_out = _find(path, shown(path.name, 80), room)
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


def _find(path: Path, name: str, room: Path) -> tuple[list[_DataSet], list[str]]:
    """The data sets at a path, and the names of files that belong to none."""
    if path.is_dir():
        return _in_folder(path, name)
    if not path.is_file():
        raise UnreadableSource(name, "there is no such file", "文件不存在")
    suffix = path.suffix.lower()
    if suffix == ".zip":
        _check_content(path, suffix, name)
        unpacked = room / "unpacked"
        unpacked.mkdir()
        members, left_out = unpack(path, name, unpacked, _READ)
        return _grouped(members, left_out, name)
    if suffix == ".shp":
        return [_DataSet(path.stem, _beside(path))], []
    return [_DataSet(path.stem, {suffix: path})], []


def _beside(shp: Path) -> dict[str, Path]:
    """The parts of a shapefile, whatever the case of their suffixes."""
    parts = [item for item in shp.parent.iterdir() if item.stem == shp.stem and item.is_file()]
    return {item.suffix.lower(): item for item in parts if item.suffix.lower() in shapefile.MEMBERS}


def _in_folder(path: Path, name: str) -> tuple[list[_DataSet], list[str]]:
    items = sorted(path.iterdir())
    if any(item.is_symlink() for item in items):
        raise NotAllowedFormat(name, "the folder holds a link", "文件夹内含链接")
    files = [item for item in items if item.is_file()]
    wanted = [Member(item.name, item.suffix.lower(), item) for item in files if item.suffix.lower() in _READ]
    others = [item.name for item in files if item.suffix.lower() not in _READ]
    return _grouped(wanted, others, name)


def _grouped(members: list[Member], left_out: list[str], name: str) -> tuple[list[_DataSet], list[str]]:
    """Members as data sets; where there are shapefiles, nothing else is read."""
    shapes: dict[str, _DataSet] = {}
    for member in (member for member in members if member.suffix == ".shp"):
        stem = str(PurePosixPath(member.shown).with_suffix(""))
        shapes[stem.lower()] = _DataSet(PurePosixPath(stem).name)
    singles: list[_DataSet] = []
    for member in members:
        stem = str(PurePosixPath(member.shown).with_suffix("")).lower()
        if member.suffix in shapefile.MEMBERS and stem in shapes:
            shapes[stem].files[member.suffix] = member.path
        elif member.suffix in SINGLES and not shapes:
            singles.append(_DataSet(PurePosixPath(member.shown).stem, {member.suffix: member.path}))
        else:
            left_out = [*left_out, member.shown]
    found = list(shapes.values()) or singles
    if not found:
        raise NotAllowedFormat(name, "nothing in it is of a format that is read", "其中没有可读的格式")
    return found, left_out


def _choose(sets: list[_DataSet], source_layer: str | None) -> tuple[_DataSet, str | None]:
    """The data set to open, and which layer inside it."""
    if len(sets) == 1:
        own = sets[0].suffix != ".gpkg" and source_layer is not None
        if own and source_layer != sets[0].name:
            raise SourceLayerMissing(layers=[sets[0].name])
        return sets[0], source_layer
    for found in sets:
        if source_layer == found.name:
            return found, None
    raise SourceLayerMissing(layers=[found.name for found in sets])


def _open(chosen: _DataSet, room: Path, encoding: str | None, inner: str | None) -> Source:
    suffix, name = chosen.suffix, shown(chosen.name, 200)
    path = chosen.files[suffix]
    _check_content(path, suffix, name)
    openers: dict[str, Callable[[], Source]] = {
        ".gpkg": lambda: open_geopackage(path, name, room, inner),
        ".shp": lambda: open_shapefile(chosen.files, name, room, encoding),
        ".fgb": lambda: open_flatgeobuf(path, name, room),
        **dict.fromkeys(_JSON, lambda: open_geojson(path, name, room, encoding)),
        **dict.fromkeys(_TEXT, lambda: open_delimited(path, name, encoding)),
    }
    return openers[suffix]()


def _check_content(path: Path, suffix: str, name: str) -> None:
    """Refuse a file whose first bytes are not those of its suffix."""
    with path.open("rb") as file:
        start = file.read(16)
    if suffix in _MAGIC:
        fits = start.startswith(_MAGIC[suffix])
    elif suffix in {*_JSON, *_TEXT}:
        fits = not start.startswith(_FOREIGN_STARTS) and (
            b"\x00" not in start or start[:2] in {b"\xff\xfe", b"\xfe\xff"}
        )
    else:
        raise NotAllowedFormat(name, f"'{shown(suffix, 12)}' is not read", f"不读取“{shown(suffix, 12)}”格式")
    if not fits:
        raise NotAllowedFormat(name, f"its content is not {suffix}", f"内容与后缀 {suffix} 不符")
