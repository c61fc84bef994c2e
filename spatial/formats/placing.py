"""What columns of text say: the names in a header, the numbers among them, and where a row lies.

A column becomes a number only if each value is a number in its shortest usual form: '007', '+86', '1,234',
'=1+2' and identifiers of more than fifteen digits stay text, as written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from spatial.formats.refusals import TooManyFields, UnreadableSource
from spatial.formats.source import MOST_FIELDS, Geometries, Notes, note
from spatial.numbers import BBox
from spatial.validity import GEOMETRIC, Family, of_family

_INTEGER = r"^(?:0|-?[1-9][0-9]{0,14})$"
_REAL = r"^(?:-?(?:0|[1-9][0-9]{0,14})\.[0-9]+|0|-?[1-9][0-9]{0,14})$"
_SIGNIFICANT_DIGITS = 17
_WKT_VALUE = (
    r"(?i)^\s*(?:SRID=[0-9]{4,6};)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b|^\s*(?:GEOMETRYCOLLECTION)\b"
)
_COORDINATE = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_WKT_NAMES = ("wkt", "wkt_geom", "the_geom", "geom", "geometry", "shape", "几何")
_PAIRS = (
    (
        ("longitude", "lon", "lng", "long", "经度", "x_lon", "wgs84_lon", "lon_wgs84"),
        ("latitude", "lat", "纬度", "y_lat", "wgs84_lat", "lat_wgs84"),
    ),
    (
        ("x", "easting", "point_x", "coord_x", "x_coord", "xcoord", "x坐标", "东坐标"),
        ("y", "northing", "point_y", "coord_y", "y_coord", "ycoord", "y坐标", "北坐标"),
    ),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where geometry comes from: one WKT column, or two of coordinates."""

    columns: tuple[str, ...]
    degrees: bool = False


def column_names(cells: Sequence[str], name: str) -> list[str]:
    """The names a header line gives, blank ones numbered and repeated ones told apart.

    Raises
    ------
    UnreadableSource
        The line is blank.
    TooManyFields
        More than 250 columns.
    """
    if not cells or not any(cell.strip() for cell in cells):
        raise UnreadableSource(name, "there is no header line", "没有表头行")
    if len(cells) > MOST_FIELDS:
        raise TooManyFields(count=len(cells), limit=MOST_FIELDS)
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        base = cell.strip() or f"column_{place}"
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers or real numbers where every value is one in its usual form, else the text."""
    if column.null_count == len(column):
        return column
    if pc.all(pc.match_substring_regex(column, _INTEGER)).as_py():
        return column.cast(pa.int64())
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest <= _SIGNIFICANT_DIGITS + 2 and pc.all(pc.match_substring_regex(column, _REAL)).as_py():
        return column.cast(pa.float64())
    return column


def type_name(kind: pa.DataType) -> str:
    """The type of a field whose column is of this kind."""
    return {pa.int64(): "integer", pa.float64(): "real"}.get(kind, "text")


def find_shape(texts: pa.Table) -> Shape | None:
    """Which columns say where a row lies, by their names."""
    known = {name.strip().lower().replace(" ", "_"): name for name in texts.column_names}
    for wanted in _WKT_NAMES:
        if wanted in known and _looks_wkt(texts.column(known[wanted])):
            return Shape((known[wanted],))
    for place, (xs, ys) in enumerate(_PAIRS):
        x = next((known[wanted] for wanted in xs if wanted in known), None)
        y = next((known[wanted] for wanted in ys if wanted in known), None)
        if x is not None and y is not None:
            return Shape((x, y), degrees=place == 0)
    return None


def _looks_wkt(column: pa.ChunkedArray) -> bool:
    values = column.drop_null()
    return len(values) > 0 and bool(pc.match_substring_regex(values.slice(0, 1), _WKT_VALUE)[0].as_py())


def unsaid(shape: Shape | None) -> str:
    """What columns of coordinates leave open about their system."""
    if shape is None:
        return "没有坐标列 / there are no coordinate columns"
    told = ", ".join(shape.columns)
    if shape.degrees:
        return f"列 {told} 是经纬度，但没有说明基准 / columns {told} are degrees of an unstated datum"
    return f"列 {told} 没有说明坐标系 / columns {told} do not say their system"


def geometries_of(texts: pa.Table, shape: Shape | None, notes: Notes) -> tuple[Geometries, int | None]:
    """A geometry for each row, None where there is none, and the code that EWKT names."""
    if shape is None:
        note(notes, "no-geometry", "没有坐标列，只有属性", "no coordinate columns, attributes only")
        return np.full(texts.num_rows, None, dtype=object), None
    if len(shape.columns) == 1:
        return _from_wkt(texts.column(shape.columns[0]), notes)
    x, y = (_coordinates(texts.column(name)) for name in shape.columns)
    missing = np.isnan(x) | np.isnan(y)
    blank = pc.or_(*(pc.is_null(texts.column(name)) for name in shape.columns)).to_numpy()
    broken = int(np.count_nonzero(missing & ~blank))
    if broken:
        note(
            notes,
            "bad-coordinates",
            "坐标不是数，视为无坐标",
            "coordinates that are no numbers count as missing",
            broken,
        )
    points: Geometries = np.full(texts.num_rows, None, dtype=object)
    points[~missing] = shapely.points(x[~missing], y[~missing])
    return points, None


def _coordinates(column: pa.ChunkedArray) -> "np.typing.NDArray[np.float64]":
    """Numbers, NaN for blank cells and for anything else."""
    trimmed = pc.utf8_trim_whitespace(column)
    numeric = pc.if_else(
        pc.match_substring_regex(trimmed, _COORDINATE), trimmed, pa.scalar(None, pa.string())
    )
    plain = pc.replace_substring_regex(numeric, r"^\+", "")
    return np.asarray(plain.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _from_wkt(column: pa.ChunkedArray, notes: Notes) -> tuple[Geometries, int | None]:
    """Geometries and the code that all EWKT values name, if they do."""
    values = column.to_numpy(zero_copy_only=False)
    marked = [re.match(r"\s*SRID=([0-9]{4,6});", value, re.I) if value else None for value in values]
    named = {int(mark[1]) for mark in marked if mark}
    bare = [value[mark.end() :] if mark else value for value, mark in zip(values, marked, strict=True)]
    geometries: Geometries = shapely.from_wkt(np.array(bare, dtype=object), on_invalid="ignore")
    broken = int(np.count_nonzero(shapely.is_missing(geometries) & ~column.is_null().to_numpy()))
    if broken:
        note(
            notes,
            "bad-coordinates",
            "WKT 无法读取，视为无坐标",
            "WKT that cannot be read counts as missing",
            broken,
        )
    return geometries, named.pop() if len(named) == 1 else None


def bounds_of(geometries: Geometries) -> BBox | None:
    """The box of all coordinates, None without any."""
    if len(geometries) == 0:
        return None
    box = shapely.total_bounds(geometries)
    return BBox(*(float(value) for value in box)) if np.isfinite(box).all() else None


def family_of(geometries: Geometries) -> Family | None:
    """What most geometries are, None without any."""
    counts = {family: int(np.count_nonzero(of_family(geometries, family))) for family in GEOMETRIC}
    best = max(counts, key=lambda family: counts[family])
    return best if counts[best] else None
