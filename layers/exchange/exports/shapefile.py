"""Shapefile in a zip, in UTF-8 or GBK with a .cpg that says so, and `names.csv` with the full field names.

What the format cannot hold is said or refused: names of ten bytes (the full ones stand in names.csv), texts of 254
bytes, no time of day (such values are text), no difference between an empty text and none.
"""

import csv
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely
from psycopg2 import sql

from layers import queries
from layers.exchange.exports.refusals import TooLongForCell, UnwritableText
from layers.exchange.exports.selection import Rows, Selection, Stream, plain
from layers.exchange.staging import ARROW
from layers.queries import Statement
from spatial.validity import Family

LONGEST_NAME = 10
LONGEST_TEXT = 254
_SHAPES = {Family.POINT: "Point", Family.LINE: "LineString", Family.POLYGON: "Polygon"}
_ENCODINGS = {"utf-8": "UTF-8", "gbk": "GBK"}


def short_names(names: list[str], encoding: str) -> list[str]:
    """Names of at most ten bytes that differ whatever their case; no character is cut in two.

    Parameters
    ----------
    names
        As the catalogue has them.
    encoding
        Of the dBASE file; what it lacks in a name becomes '_'.

    Examples
    --------
    >>> short_names(["land_use_code", "LAND_USE_CODES", "行政区划代码"], "utf-8")
    ['land_use_c', 'LAND_USE_1', '行政区']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        safe = name.encode(encoding, "replace").decode(encoding).replace("?", "_").replace("\x00", "_")
        short, number = _cut(safe, LONGEST_NAME, encoding), 0
        while not short.strip() or short.lower() in taken:
            number += 1
            tail = f"_{number}"
            short = _cut(safe, LONGEST_NAME - len(tail), encoding) + tail
        taken.add(short.lower())
        found.append(short)
    return found


def _cut(text: str, size: int, encoding: str) -> str:
    return text.encode(encoding)[:size].decode(encoding, "ignore")


def write(selection: Selection, path: Path) -> int:
    """Write the parts of a shapefile into one zip; the number of features."""
    folder = path.parent / "shapefile"
    folder.mkdir()
    name = selection.scope.layer.name
    full = [selection.free("fid"), *selection.names]
    short = short_names(full, selection.encoding)
    schema, kind = _schema(selection, short), _shape(selection)
    stream = Stream(selection, schema, lambda rows: _columns(selection, schema, kind, rows))
    count = stream.write(
        folder / f"{name}.shp",
        "ESRI Shapefile",
        geometry_name=schema.names[1],
        geometry_type=kind,
        crs=f"EPSG:{selection.crs.srid}",
        encoding=_ENCODINGS[selection.encoding],
    )
    _tell_names(selection, folder / "names.csv", full, short)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for member in sorted(folder.iterdir()):
            archive.write(member, member.name)
            member.unlink()
    return count


def _shape(selection: Selection) -> str:
    """The one kind of shape of the file; points are multiple ones if any is."""
    kind = _SHAPES[selection.scope.layer.family]
    if kind != "Point":
        return kind
    inner = selection.relation()
    text = sql.SQL("SELECT 1 FROM {} AS r WHERE GeometryType(r.geom) <> 'POINT' LIMIT 1").format(inner.text)
    return "MultiPoint" if queries.rows(Statement(text, inner.params)) else kind


def _schema(selection: Selection, short: list[str]) -> pa.Schema:
    shape = "geometry_of_feature"  # longer than any name of the file
    kinds = [pa.string() if one.type == "datetime" else ARROW[one.type] for one in selection.fields]
    return pa.schema([(short[0], pa.int64()), (shape, pa.binary()), *zip(short[1:], kinds, strict=True)])


def _columns(selection: Selection, schema: pa.Schema, kind: str, rows: Rows) -> list[pa.Array]:
    fids, shapes, *values = zip(*rows, strict=True)
    wkb = [plain(shape) for shape in shapes]
    if kind == "MultiPoint":
        wkb = [shapely.to_wkb(shapely.multipoints(shapely.get_parts(shapely.from_wkb(one)))) for one in wkb]
    found = [pa.array(fids, pa.int64()), pa.array(wkb, pa.binary())]
    for one, column, stored in zip(selection.fields, values, schema.types[2:], strict=True):
        if stored == pa.string():
            texts = [_text(value) for value in column]
            check_encodable(selection, one.name, fids, texts, LONGEST_TEXT)
            found.append(pa.array(texts, stored))
        else:
            found.append(pa.array(column, stored))
    return found


def check_encodable(
    selection: Selection, name: str, fids: tuple[int, ...], texts: list[str | None], longest: int | None
) -> None:
    """Refuse a text that the encoding or the width of the format cannot hold.

    Raises
    ------
    UnwritableText, TooLongForCell
    """
    for fid, text in zip(fids, texts, strict=True):
        if text is None:
            continue
        try:
            size = len(text.encode(selection.encoding))
        except UnicodeEncodeError:
            raise UnwritableText(field=name, fid=fid, encoding=selection.encoding.upper()) from None
        if longest is not None and size > longest:
            raise TooLongForCell(field=name, fid=fid, limit=longest, unit="bytes")


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


def _tell_names(selection: Selection, path: Path, full: list[str], short: list[str]) -> None:
    known = {one.name: one for one in selection.fields}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["dbf", "name", "alias_zh", "alias_en", "unit"])
        for cut, name in zip(short, full, strict=True):
            one = known.get(name)
            writer.writerow([cut, name, *([one.alias_zh, one.alias_en, one.unit] if one else ["", "", ""])])
