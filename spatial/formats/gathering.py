"""Which files belong together: the parts of a shapefile, the inside of a geodatabase, a file by itself.

Names are those people gave; they tell what belongs together and are shown, but paths come with the members.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spatial.formats import filegdb, mapinfo, shapefile
from spatial.formats.archive import Member
from spatial.formats.converting import TARGETS
from spatial.formats.refusals import NotAllowedFormat

RASTERS = (".tif", ".tiff")
JSON = (".geojson", ".json")
TEXT = (".csv", ".txt", ".tsv")
XML = (".kml", ".gml")
SINGLES = (".gpkg", ".fgb", ".kmz", ".dxf", ".xlsx", ".parquet", *JSON, *TEXT, *XML, *TARGETS)
_PARTS = {".shp": shapefile.MEMBERS, ".tab": mapinfo.TAB_MEMBERS, ".mif": mapinfo.MIF_MEMBERS}
_TABLE = (".dbf", ".cpg")
READ = frozenset({*SINGLES, *(suffix for parts in _PARTS.values() for suffix in parts), *_TABLE})
_BESIDE = frozenset({".sbn", ".sbx", ".qix", ".fix", ".qpj", ".qmd", ".tfw", ".ovr", ".rrd"})
_GDB = ".gdb"


@dataclass(slots=True)
class DataSet:
    """One thing that can be opened.

    Attributes
    ----------
    name : str
        What it was called, without folder and suffix.
    suffix : str
        Of the file that leads: '.shp', '.gdb', '.csv', ….
    files : dict
        The files by suffix; those of a geodatabase by their name inside it.
    """

    name: str
    suffix: str
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file that leads; the folder of a geodatabase."""
        if self.suffix == _GDB:
            return next(iter(self.files.values())).parent
        return self.files[self.suffix]


def inside_gdb(shown: str) -> str | None:
    """The folder of a geodatabase that a member lies in, if it is one of the files the format knows."""
    place = PurePosixPath(shown)
    known = place.parent.suffix.lower() == _GDB and filegdb.MEMBER.fullmatch(place.name.lower())
    return str(place.parent) if known else None


def wanted(shown: str) -> bool:
    """Whether a member of an archive may be part of something that is read."""
    return PurePosixPath(shown).suffix.lower() in READ or inside_gdb(shown) is not None


def gather(members: Iterable[Member]) -> tuple[list[DataSet], list[str]]:
    """Members as data sets in their order, and the names of those that belong to none."""
    sets: dict[tuple[str, str], DataSet] = {}
    rest = [member for member in members if not _into_gdb(member, sets)]
    leading = {(_stem(one), one.suffix) for one in rest if one.suffix in _PARTS}
    left_out: list[str] = []
    for member in rest:
        stem = _stem(member)
        leads = [lead for lead, parts in _PARTS.items() if member.suffix in parts and (stem, lead) in leading]
        alone = member.suffix in SINGLES or member.suffix in RASTERS or member.suffix == ".dbf"
        if leads or alone:
            _put(sets, stem, leads[0] if leads else member.suffix, member)
        elif not _goes_with(member, rest):
            left_out.append(member.shown)
    _add_codepages(rest, sets)
    return list(sets.values()), left_out


def in_folder(path: Path, name: str) -> list[Member]:
    """The files right inside a folder, and those of geodatabases in it.

    Raises
    ------
    NotAllowedFormat
        There is a link.
    """
    items = sorted(path.iterdir())
    for folder in [item for item in items if item.suffix.lower() == _GDB and item.is_dir()]:
        items += sorted(folder.iterdir())
    return members_of(path, items, name)


def members_of(root: Path, items: Iterable[Path], name: str) -> list[Member]:
    """Files below a folder as members, shown by their place in it."""
    found = []
    for item in items:
        if item.is_symlink():
            raise NotAllowedFormat(name, "the folder holds a link", "文件夹内含链接")
        if item.is_file():
            found.append(Member(item.relative_to(root).as_posix(), item.suffix.lower(), item))
    return found


def beside(path: Path) -> DataSet:
    """A file with the parts that lie beside it under the same name, whatever the case of their suffixes."""
    suffix = path.suffix.lower()
    parts = _PARTS.get(suffix, _TABLE if suffix == ".dbf" else ())
    found = {suffix: path}
    for item in path.parent.iterdir() if parts else ():
        if item.stem == path.stem and item.suffix.lower() in parts and item.is_file():
            found.setdefault(item.suffix.lower(), item)
    return DataSet(path.stem, suffix, found)


def _stem(member: Member) -> str:
    return str(PurePosixPath(member.shown).with_suffix("")).lower()


def _put(sets: dict[tuple[str, str], DataSet], stem: str, lead: str, member: Member) -> None:
    name = PurePosixPath(member.shown).stem
    made = sets.setdefault((stem, lead), DataSet(name, lead))
    if member.suffix == lead:
        made.name = name
    made.files.setdefault(member.suffix, member.path)


def _into_gdb(member: Member, sets: dict[tuple[str, str], DataSet]) -> bool:
    folder = inside_gdb(member.shown)
    if folder is None:
        return False
    made = sets.setdefault((folder.lower(), _GDB), DataSet(PurePosixPath(folder).stem, _GDB))
    made.files.setdefault(PurePosixPath(member.shown).name.lower(), member.path)
    return True


def _goes_with(member: Member, members: list[Member]) -> bool:
    """Whether a file only serves programs beside one that is read: an index, a world file, a code page."""
    if member.suffix not in _BESIDE and member.suffix != ".cpg":
        return False
    stem = _stem(member)
    return any(other.suffix in {".shp", ".dbf", *RASTERS} and _stem(other) == stem for other in members)


def _add_codepages(members: list[Member], sets: dict[tuple[str, str], DataSet]) -> None:
    for member in members:
        table = sets.get((_stem(member), ".dbf"))
        if member.suffix == ".cpg" and table is not None:
            table.files[".cpg"] = member.path
