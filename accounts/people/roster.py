"""The workbook of the roster: its template, and reading it with every fault named by sheet, row and column."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from spatial.errors import Kind, OnemapError

MOST_BYTES = 10 * 2**20
MOST_UNPACKED = 200 * 2**20
MOST_ROWS = 50_000
LONGEST = 200


@dataclass(frozen=True)
class Column:
    """A column: its key, its heading in Chinese, whether it must be filled, and what goes into it."""

    key: str
    title: str
    needed: bool = False
    note: str = ""
    many: bool = False  # values separated by ; or ；
    day: bool = False


SHEETS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "departments": (
        "部门",
        (
            Column("code", "代码", True, "字母、数字、点、横线；唯一 / unique"),
            Column("name_zh", "名称", True),
            Column("name_en", "英文名称"),
            Column("parent", "上级代码", note="空为顶级 / empty: top"),
            Column("clearance", "密级", note="public · internal · sensitive"),
            Column("valid_from", "启用日期", day=True),
            Column("valid_to", "停用日期", note="停用首日 / first day closed", day=True),
        ),
    ),
    "posts": (
        "岗位",
        (
            Column("code", "代码", True),
            Column("name_zh", "名称", True),
            Column("name_en", "英文名称"),
            Column("department", "部门代码", True),
            Column("roles", "角色", note="以 ; 分隔 / separated by ;", many=True),
        ),
    ),
    "areas": (
        "责任区",
        (
            Column("code", "代码", True),
            Column("name_zh", "名称", True),
            Column("name_en", "英文名称"),
            Column("department", "部门代码", True),
            Column("divisions", "行政区划代码", True, "以 ; 分隔 / separated by ;", many=True),
        ),
    ),
    "users": (
        "人员",
        (
            Column("username", "用户名", True),
            Column("display_name", "姓名", True),
            Column("department", "部门代码", True),
            Column("posts", "岗位代码", note="以 ; 分隔 / separated by ;", many=True),
            Column("roles", "角色", note="以 ; 分隔；admin 须手工授予 / admin is given by hand", many=True),
            Column("areas", "责任区代码", many=True),
            Column("clearance", "密级"),
            Column("left_on", "离职日期", note="离职首日 / first day away", day=True),
        ),
    ),
}


class BadRoster(OnemapError):
    """The file is no roster."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-roster"
    message: ClassVar = "{reason}; start from the template"
    message_zh: ClassVar = "{reason_zh}；请使用模板"


@dataclass(frozen=True)
class Fault:
    """Something in the workbook that cannot be taken."""

    sheet: str
    row: int
    column: str
    message: str
    message_zh: str

    def to_json(self) -> dict[str, Any]:
        """As the report shows it."""
        return dict(vars(self))


@dataclass
class Roster:
    """The rows by sheet, each with its number in the workbook, and what is wrong."""

    rows: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, sheet: str, row: int, column: str, message: str, message_zh: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(sheet, row, column, message, message_zh))


def template() -> bytes:
    """An empty roster: one sheet per kind, headings in the first row, notes on the headings."""
    book = Workbook()
    book.remove(book.active)
    for _key, (title, columns) in SHEETS.items():
        sheet = book.create_sheet(title)
        for place, column in enumerate(columns, start=1):
            cell = sheet.cell(1, place, f"{column.title} {column.key}")
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor="FFEAF2FB" if column.needed else "FFF5F7FA")
            if column.note:
                cell.comment = Comment(column.note, "onemap")
            sheet.column_dimensions[get_column_letter(place)].width = 20
        sheet.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def read_roster(content: bytes) -> Roster:
    """Read a workbook; formulas count as the text they last had.

    Raises
    ------
    BadRoster
        It is no workbook, too large, or has none of the sheets.
    """
    _judge_size(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise BadRoster(reason="the file is no .xlsx workbook", reason_zh="文件不是 .xlsx 工作簿") from error
    roster, found = Roster(), False
    for key, (title, columns) in SHEETS.items():
        sheet = next((book[name] for name in book.sheetnames if name.strip().lower() in {title, key}), None)
        found = found or sheet is not None
        roster.rows[key] = list(_rows(sheet, key, columns, roster)) if sheet is not None else []
    book.close()
    if not found:
        names = "、".join(title for title, _ in SHEETS.values())
        raise BadRoster(reason=f"none of the sheets {names} is there", reason_zh=f"没有工作表 {names}")
    return roster


def _judge_size(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise BadRoster(reason="the file is larger than 10 MiB", reason_zh="文件超过 10 MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
            macros = any("vba" in one.filename.lower() for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise BadRoster(reason="the file is no .xlsx workbook", reason_zh="文件不是 .xlsx 工作簿") from error
    if unpacked > MOST_UNPACKED or macros:
        raise BadRoster(reason="the workbook is too large or holds macros", reason_zh="工作簿过大或含宏")


def _rows(
    sheet: Any, key: str, columns: tuple[Column, ...], roster: Roster
) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = sheet.iter_rows(values_only=True)
    places = _places(next(lines, ()), key, columns, roster)
    known: dict[str, int] = {}
    identity = columns[0].key
    for number, line in enumerate(lines, start=2):
        if number > MOST_ROWS:
            roster.fault(key, number, "", f"more than {MOST_ROWS} rows", f"超过 {MOST_ROWS} 行")
            return
        if all(value is None or str(value).strip() == "" for value in line):
            continue
        row = {one.key: _value(line, places, one, (key, number), roster) for one in columns}
        first = known.setdefault(str(row[identity]), number)
        if first != number:
            roster.fault(key, number, identity, f"as in row {first}", f"与第 {first} 行重复")
            continue
        yield number, row


def _places(
    heading: tuple[Any, ...], key: str, columns: tuple[Column, ...], roster: Roster
) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for place, title in enumerate(heading):
        words = str(title or "").replace("\n", " ").split()
        for column in columns:
            if column.key in {word.lower() for word in words} or column.title in words:
                found.setdefault(column.key, place)
    for column in columns:
        if column.needed and column.key not in found:
            roster.fault(key, 1, column.key, "the column is missing", f"缺少“{column.title}”列")
    return found


def _value(
    line: tuple[Any, ...],
    places: Mapping[str, int],
    column: Column,
    where: tuple[str, int],
    roster: Roster,
) -> Any:
    place = places.get(column.key)
    raw = line[place] if place is not None and place < len(line) else None
    if column.day:
        return _day(raw, column, where, roster)
    text = _text(raw)
    if len(text) > LONGEST * (20 if column.many else 1):
        roster.fault(*where, column.key, "the text is too long", "文字过长")
        text = text[:LONGEST]
    if column.needed and not text:
        roster.fault(*where, column.key, "must be filled", f"“{column.title}”必填")
    if column.many:
        return [part.strip() for part in text.replace("；", ";").split(";") if part.strip()]
    return text


def _text(raw: Any) -> str:
    """A cell's text: a code that the workbook made a number is that number's digits."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return "" if raw is None else str(raw).strip()


def _day(raw: Any, column: Column, where: tuple[str, int], roster: Roster) -> date | None:
    if isinstance(raw, datetime):
        return raw.date()
    text = _text(raw)
    if not text:
        return None
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        roster.fault(*where, column.key, "no date such as 2026-01-31", "不是日期（如 2026-01-31）")
        return None
