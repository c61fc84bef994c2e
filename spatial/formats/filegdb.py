"""File geodatabases (.gdb folders): read by GDAL from links under names of the format's own pattern.

Only files that the format knows are linked, so nothing else that lies in the folder is seen. The driver reads;
nothing in the folder is changed. Aliases and coded values of the fields are read too.
"""

import re
from functools import partial
from pathlib import Path

import pyogrio

from spatial.crs import crs_of
from spatial.formats import families
from spatial.formats.domains import field_words, with_words
from spatial.formats.gdal import GdalLayer
from spatial.formats.refusals import NotAllowedFormat, UnreadableSource
from spatial.formats.source import Notes, Source, note

MEMBER = re.compile(r"a[0-9a-f]{8}\.[a-z_0-9]{2,40}\.?(?:atx|spx)?|gdb|timestamps", re.ASCII)
_FIRST = "a00000001.gdbtable"


def open_filegdb(members: dict[str, Path], name: str, work: Path, layer: str | None) -> Source:
    """One feature class or table of a file geodatabase.

    Parameters
    ----------
    members : dict
        Name inside the .gdb folder to file.
    name : str
        What the geodatabase is called.
    work : Path
        An empty folder of our own.
    layer : str, optional
        Which feature class or table, where there are several.

    Raises
    ------
    UnreadableSource
        Broken or incomplete.
    SourceLayerMissing
        Several, and none or an unknown one was chosen.
    ObfuscatedDatum
        Its system declares GCJ-02 or BD-09.
    """
    folder = _linked(members, name, work)
    names = [found for found, _ in layers_of(folder, name)]
    chosen = families.choose(names, layer)
    table = GdalLayer(folder, name, chosen)
    srid, crs_note = table.system
    if srid is not None and crs_of(srid).geographic:
        table.measure_in_degrees()
    notes: Notes = []
    family = table.family(notes)
    if family is None:
        note(notes, "no-geometry", "没有几何，只有属性", "no geometry, attributes only")
    return Source(
        driver="OpenFileGDB",
        layer=chosen,
        layers=names,
        fields=with_words(table.fields, field_words(folder, chosen)),
        count=table.count,
        reader=partial(table.batches, notes=notes),
        srid=srid,
        crs_note=crs_note,
        bounds=table.bounds,
        family=family,
        notes=notes,
    )


def list_filegdb(members: dict[str, Path], name: str, work: Path) -> list[tuple[str, bool]]:
    """Name of each feature class and table, and whether it has geometry.

    Raises
    ------
    UnreadableSource
        Broken or incomplete.
    """
    return layers_of(_linked(members, name, work), name)


def layers_of(folder: Path, name: str) -> list[tuple[str, bool]]:
    """Name of each layer that GDAL finds at a path of our own making, and whether it has geometry."""
    try:
        found = [(str(row[0]), row[1] is not None) for row in pyogrio.list_layers(folder)]
    except (RuntimeError, OSError, UnicodeError):
        found = []
    if not found:
        raise UnreadableSource(name, "there is no readable layer in it", "其中没有可读的图层")
    return found


def _linked(members: dict[str, Path], name: str, work: Path) -> Path:
    """A folder of links to the files the format knows."""
    if _FIRST not in members:
        raise NotAllowedFormat(name, "the folder is no file geodatabase", "文件夹不是文件地理数据库")
    folder = work / "source.gdb"
    folder.mkdir()
    for member, path in members.items():
        if MEMBER.fullmatch(member) and path.is_file() and not path.is_symlink():
            (folder / member).symlink_to(path.resolve())
    return folder
