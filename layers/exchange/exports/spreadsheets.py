"""CSV and XLSX that no spreadsheet takes for a program (threats.md X-09), and codes that stay what they are.

A CSV has no types: a reader sees numbers where a text looks like one, an empty text and none are the same, and an
apostrophe before = + - @ marks text (our own reader takes it off again). A workbook has typed cells: text is always
text; what a cell cannot hold exactly (whole numbers of more than fifteen digits, days before March 1900) is text too.
A row without any value is a blank row, which readers leave out. Geometry stands in a CSV as WKT. In a workbook, whose
cells are too short for that, points stand as two columns of coordinates and other shapes are left out.
"""

import csv
import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import shapely
from openpyxl.cell import WriteOnlyCell

from layers.exchange.exports.refusals import TooLongForCell, TooManyRows
from layers.exchange.exports.selection import Rows, Selection, free_name
from layers.exchange.exports.shapefile import check_encodable
from layers.moments import CITY_TIME
from spatial.validity import Family

MOST_ROWS = 1_048_576  # of a sheet, its header among them
LONGEST_CELL = 32_767
_LARGEST_EXACT = 10**15
_FIRST_DAY = date(1900, 3, 1)  # before it the calendar of spreadsheets has a day too many
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): what XML cannot hold, and what would be read as such a mark.
_UNHOLDABLE = re.compile("[\x00-\x08\x0b-\x1f\x0d\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_DIGITS = 9


def write_csv(selection: Selection, path: Path) -> int:
    """Write a CSV with a header line; UTF-8 begins with a mark, so that spreadsheets know it. The number of rows."""
    count = 0
    encoding = "utf-8-sig" if selection.encoding == "utf-8" else selection.encoding
    shape = [selection.free("wkt")] if selection.has_geometry else []
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*map(_csv_cell, selection.names), *shape])
        for rows in selection.rows():
            if selection.encoding != "utf-8":
                _check(selection, rows)
            writer.writerows(_csv_rows(rows, bool(shape)))
            count += len(rows)
    return count


def _check(selection: Selection, rows: Rows) -> None:
    fids, _, *columns = zip(*rows, strict=True)
    for one, values in zip(selection.fields, columns, strict=True):
        if one.type == "text":
            check_encodable(selection, one.name, fids, list(values), None)


def _csv_rows(rows: Rows, shaped: bool) -> Iterable[list[Any]]:
    wkt = _wkt(rows) if shaped else [None] * len(rows)
    for (_, _, *values), shape in zip(rows, wkt, strict=True):
        yield [*map(_csv_cell, values), *([shape] if shaped else [])]


def _wkt(rows: Rows) -> Any:
    return shapely.to_wkt(_shapes(rows), rounding_precision=_DIGITS)


def _shapes(rows: Rows) -> Any:
    return shapely.from_wkb([bytes(row[1]) for row in rows])


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def write_workbook(selection: Selection, path: Path) -> int:
    """Write a workbook of one sheet, row by row; the number of rows below its header.

    Raises
    ------
    TooManyRows
        More than a sheet holds.
    TooLongForCell
        A text of more than 32,767 characters.
    """
    book = openpyxl.Workbook(write_only=True)
    title = selection.scope.layer.title_zh or selection.scope.layer.name
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]']", " ", title)[:31])
    sheet.freeze_panes = "A2"
    try:
        count = _fill(sheet, selection)
    finally:
        sheet.close()
    book.save(path)
    return count


def _fill(sheet: Any, selection: Selection) -> int:
    places = _places(selection)
    sheet.append([_cell(sheet, name) for name in (*selection.names, *places)])
    count = 0
    for rows in selection.rows():
        count += len(rows)
        if count >= MOST_ROWS:
            raise TooManyRows(limit=MOST_ROWS)
        _check_length(selection, rows)
        points = shapely.get_coordinates(shapely.point_on_surface(_shapes(rows))) if places else []
        for place, (_, _, *values) in enumerate(rows):
            where = [float(one) for one in points[place]] if places else []
            sheet.append([_cell(sheet, value) for value in (*values, *where)])
    return count


def _places(selection: Selection) -> list[str]:
    """Names of the columns of coordinates; none but for points."""
    if selection.scope.layer.family is not Family.POINT:
        return []
    wanted = ("lon", "lat") if selection.crs.geographic else ("x", "y")
    return [free_name(name, {known.lower() for known in selection.names}) for name in wanted]


def _check_length(selection: Selection, rows: Rows) -> None:
    for place, one in enumerate(selection.fields, 2):
        if one.type != "text":
            continue
        for row in rows:
            if row[place] is not None and len(row[place]) > LONGEST_CELL:
                raise TooLongForCell(field=one.name, fid=row[0], limit=LONGEST_CELL, unit="characters")


def _cell(sheet: Any, value: Any) -> Any:
    """A cell of the value's own type; a text is never a formula."""
    value = _holdable(value)
    cell = WriteOnlyCell(sheet, None)
    if isinstance(value, str):
        cell.value = _UNHOLDABLE.sub(lambda mark: f"_x{ord(mark[0]):04X}_", value)
        cell.data_type = "s"
        cell.number_format = "@"
    else:
        cell.value = value
    return cell


def _holdable(value: Any) -> Any:
    """The value, or its text where a cell cannot hold it exactly; times are those of the city."""
    if isinstance(value, datetime):
        value = value.astimezone(CITY_TIME).replace(tzinfo=None)
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
        return value if day >= _FIRST_DAY else value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LARGEST_EXACT:
        return str(value)
    return value
