"""The one door to the writers: a file appears complete or not at all."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from psycopg2 import sql

from layers.counting import counted
from layers.exchange.exports import columnar, geojson, geopackage, shapefile
from layers.exchange.exports.refusals import NoGeometryToWrite, UnknownEncoding, UnknownExport
from layers.exchange.exports.selection import Clip, Selection
from layers.ogc import axes
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import Crs


def _weighty(module: str, function: str) -> Callable[[Selection, Path], int]:
    """A writer whose library takes longer to import than all the rest: imported when the first file is written."""

    def write(selection: Selection, path: Path) -> int:
        found: Callable[[Selection, Path], int] = getattr(
            import_module(f"layers.exchange.exports.{module}"), function
        )
        return found(selection, path)

    return write


WRITERS: dict[str, Callable[[Selection, Path], int]] = {
    ".gpkg": geopackage.write,
    ".geojson": geojson.write,
    ".shp.zip": shapefile.write,
    ".csv": _weighty("spreadsheets", "write_csv"),
    ".xlsx": _weighty("spreadsheets", "write_workbook"),
    ".fgb": columnar.write_flatgeobuf,
    ".parquet": columnar.write_parquet,
    ".dxf": _weighty("drawing", "write"),
}
TABLE_SUFFIXES = (".gpkg", ".csv", ".xlsx", ".parquet")
MEDIA = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".shp.zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".fgb": "application/vnd.flatgeobuf",
    ".parquet": "application/vnd.apache.parquet",
    ".dxf": "image/vnd.dxf",
}
ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gbk": "gbk",
    "gb2312": "gbk",
    "cp936": "gbk",
    "gb18030": "gb18030",
}


def suffixes_for(scope: Scope) -> tuple[str, ...]:
    """The formats in which a layer can be written."""
    return TABLE_SUFFIXES if scope.layer.is_table else tuple(WRITERS)


def export(
    scope: Scope,
    path: Path,
    *,
    crs: Crs,
    encoding: str = "utf-8",
    clip: Clip | None = None,
    told: Callable[[int], None] | None = None,
) -> int:
    """Write what a scope shows to a file; return the number of rows.

    Coordinates are x before y, as these formats have them.

    Parameters
    ----------
    scope
        Of the action 'download', or an operator's.
    path
        Its suffix names the format.
    crs
        Of the coordinates.
    encoding
        Of a shapefile or CSV: 'utf-8', 'gbk', or 'gb18030' (CSV alone).
    clip
        An area to clip to.
    told
        Called now and then with the number of rows written so far; may raise to stop.

    Raises
    ------
    UnknownExport, NoGeometryToWrite, UnknownEncoding
        The suffix or encoding names nothing that is written (of this layer).
    TooManyRows, TooLongForCell, UnwritableText
        The format cannot hold what is to be written.
    """
    suffix = judge(scope, path.name, encoding)
    selection = Selection(
        scope, axes.file_crs(crs, path), ENCODINGS[encoding.lower()], clip, told or (lambda count: None)
    )
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        written = Path(folder) / f"{scope.layer.name}{suffix}"
        count = WRITERS[suffix](selection, written)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(path)
    return count


def judge(scope: Scope, name: str, encoding: str) -> str:
    """The suffix of a file that can be written.

    Raises
    ------
    UnknownExport, NoGeometryToWrite, UnknownEncoding
    """
    suffix = suffix_of(name)
    if suffix not in suffixes_for(scope):
        raise NoGeometryToWrite(layer=scope.layer.name, offered=" ".join(TABLE_SUFFIXES))
    known = ENCODINGS.get(encoding.lower())
    if known is None or (suffix == ".shp.zip" and known == "gb18030"):
        raise UnknownEncoding(offered="utf-8, gbk")
    return suffix


def suffix_of(name: str) -> str:
    """The format that a file's name asks for.

    Raises
    ------
    UnknownExport
    """
    suffix = next((one for one in WRITERS if name.lower().endswith(one)), None)
    if suffix is None:
        raise UnknownExport(offered=" ".join(WRITERS))
    return suffix


def count_of(scope: Scope, clip: Clip | None, crs: Crs, limit: int) -> int | None:
    """How many rows an export would have; None if more than `limit`."""
    inner = Selection(scope, crs, clip=replace(clip, cut=False) if clip else None).relation()
    return counted(Statement(sql.SQL("{}").format(inner.text), inner.params), limit)
