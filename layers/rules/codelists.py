"""Code lists as rows: those that come with the platform, and what is wrong with an edition someone sends."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SEEDS = Path(__file__).parents[1] / "data" / "codelists"
COLUMNS = ("code", "title_zh", "title_en", "parent", "colour", "selectable")
LONGEST = {"code": 32, "title_zh": 120, "title_en": 120, "parent": 32}
_COLOUR = re.compile(r"#[0-9a-f]{6}(?:[0-9a-f]{2})?\Z", re.ASCII)
_YES, _NO = {"", "yes", "true", "1", "是"}, {"no", "false", "0", "否"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code of an edition; `parent` is '' at the top, a heading is not selectable."""

    code: str
    title_zh: str
    title_en: str = ""
    parent: str = ""
    colour: str = ""
    selectable: bool = True


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row, counted from 1."""

    row: int
    code: str
    reason: str
    reason_zh: str


def read_csv(text: str) -> list[dict[str, str]]:
    """The rows of a CSV text whose first line names its columns (some of COLUMNS); blank cells are ''.

    Raises
    ------
    ValueError
        The first line names no code or title_zh, or a column that is not known.
    """
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), restkey="surplus", restval="")
    named = set(lines.fieldnames or ())
    if not {"code", "title_zh"} <= named or not named <= set(COLUMNS):
        raise ValueError(", ".join(sorted(named)))
    return [{name: str(value or "").strip() for name, value in row.items()} for row in lines]


def rows_of(given: Sequence[Mapping[str, str]]) -> list[CodeRow]:
    """Judged rows as values; call `faults` first."""
    return [
        CodeRow(
            **{name: row.get(name, "") for name in ("code", "title_zh", "title_en", "parent")},
            colour=row.get("colour", "").lower(),
            selectable=row.get("selectable", "").lower() not in _NO,
        )
        for row in given
    ]


def faults(given: Sequence[Mapping[str, str]]) -> Iterator[RowFault]:
    """Yield what is wrong with the rows of an edition, in their order.

    Parameters
    ----------
    given
        Texts by column name, as of a CSV; `colour` is #rrggbb or #rrggbbaa, `selectable` yes or no.
    """
    counts = Counter(row.get("code", "") for row in given)
    parents = {row.get("code", ""): row.get("parent", "") for row in given}
    seen: set[str] = set()
    for number, row in enumerate(given, 1):
        code = row.get("code", "")
        for reason, zh in _of_row(row):
            yield RowFault(number, code, reason, zh)
        if counts[code] > 1 and code in seen:
            yield RowFault(number, code, f"code {code} is there already", f"代码 {code} 重复")
        seen.add(code)
        if fault := _of_parent(code, parents):
            yield RowFault(number, code, *fault)


def _of_row(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, zh in (("code", "代码"), ("title_zh", "中文名称")):
        if not row.get(name):
            yield f"{name} is missing", f"缺少{zh}"
    for name, longest in LONGEST.items():
        if len(row.get(name, "")) > longest:
            yield f"{name} is longer than {longest}", f"{name} 超过 {longest} 字"
        if _CONTROL.search(row.get(name, "")):
            yield f"{name} holds a control character", f"{name} 含控制字符"
    yield from _of_flags(row)


def _of_flags(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if row.get("colour") and not _COLOUR.match(row["colour"].lower()):
        yield "colour is not #rrggbb", "颜色应为 #rrggbb"
    if row.get("selectable", "").lower() not in _YES | _NO:
        yield "selectable is yes or no", "selectable 应为 yes 或 no"
    if "surplus" in row:
        yield "there are more values than columns", "值多于列"


def _of_parent(code: str, parents: Mapping[str, str]) -> tuple[str, str] | None:
    """Why a code's parent cannot be: not in the list, or the code itself stands above it."""
    parent, passed = parents[code], {code}
    if parent and parent not in parents:
        return f"parent {parent} is not in the list", f"上级代码 {parent} 不在表中"
    while parent:
        if parent in passed:
            return f"{code} stands above itself", f"{code} 的上级构成循环"
        passed.add(parent)
        parent = parents.get(parent, "")
    return None


@cache
def seeded(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table of the folder data/codelists: 'lists', 'mappings', or a list as `CODE@EDITION`."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
