"""Editions of code lists: added, corrected and extended; no code that data hold is taken away."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django.db import connection, transaction
from psycopg2 import sql

from accounts.principals import Principal
from layers import codes
from layers.models import CodeList, CodeValue, Field
from layers.rights import Action, may_everywhere
from layers.rules.codelists import CodeRow, faults, rows_of
from process import audit
from spatial.errors import Kind, OnemapError

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,46}[a-z0-9])?\Z", re.ASCII)
EDITION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,31}\Z", re.ASCII)
MOST_FAULTS = 200  # that are named; all are counted


class NotDataManager(OnemapError):
    """Code lists belong to the whole platform."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "not-granted"
    message: ClassVar = "code lists are kept by the data manager of the platform; ask there"
    message_zh: ClassVar = "代码表由平台数据管理员维护，请向其申请"


class BadCodeListName(OnemapError):
    """A code or an edition that cannot be part of an address."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-code-list-name"
    message: ClassVar = (
        "a code list is named in small letters, digits, - and _; an edition in letters, digits, . and -"
    )
    message_zh: ClassVar = "代码表名由小写字母、数字、- 和 _ 组成，版本由字母、数字、. 和 - 组成"


class CodeListExists(OnemapError):
    """The edition is there already."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "code-list-exists"
    message: ClassVar = "code list {code} has an edition {edition} already; change it instead"
    message_zh: ClassVar = "代码表 {code} 已有 {edition} 版，请改为修改该版"


class CodeListFaulty(OnemapError):
    """Rows of an edition are wrong; nothing was stored."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "code-list-faulty"
    message: ClassVar = "{count} faults, the first in row {row}: {reason}"
    message_zh: ClassVar = "共 {count} 处错误，首处在第 {row} 行：{reason_zh}"


class CodeInUse(OnemapError):
    """Features hold codes that the new text of an edition leaves out."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "code-in-use"
    message: ClassVar = "features hold codes that would no longer be allowed: {codes}"
    message_zh: ClassVar = "要素仍在使用将被去除的代码：{codes}"


@dataclass(frozen=True)
class Edition:
    """What someone sends as an edition: its facts, and its rows as texts by column name (rules.codelists)."""

    code: str
    edition: str
    title_zh: str
    title_en: str
    source: str
    valid_from: date | None
    valid_to: date | None
    rows: Sequence[Mapping[str, str]]

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of the list besides its name."""
        names = ("title_zh", "title_en", "source", "valid_from", "valid_to")
        return {name: getattr(self, name) for name in names}


def add_edition(by: Principal, given: Edition) -> CodeList:
    """Store a new edition of a code list.

    Raises
    ------
    NotDataManager, BadCodeListName, CodeListFaulty, CodeListExists
    """
    rows = _judged(by, given)
    if not NAME.match(given.code) or not EDITION.match(given.edition):
        raise BadCodeListName()
    with transaction.atomic():
        made, new = CodeList.objects.get_or_create(
            code=given.code, edition=given.edition, defaults=given.facts
        )
        if not new:
            raise CodeListExists(code=given.code, edition=given.edition)
        CodeValue.objects.bulk_create(CodeValue(code_list=made, **vars_of(row)) for row in rows)
        audit.record(by, "codes.add", "code-list", f"{made.code}@{made.edition}", values=len(rows))
    return made


def change_edition(by: Principal, given: Edition) -> CodeList:
    """Make an edition that is there what is given; mappings of codes that stay are kept.

    Raises
    ------
    NotDataManager, CodeListFaulty, codes.CodeListNotFound
    CodeInUse
        A code that features hold is gone, or became a heading.
    """
    rows = _judged(by, given)
    with transaction.atomic():
        found = codes.named(given.code, given.edition)
        CodeList.objects.select_for_update().get(pk=found.pk)
        before = {one.code: one for one in found.values.all()}
        allowed = {row.code for row in rows if row.selectable}
        _refuse_if_used(found, [one.code for one in before.values() if one.code not in allowed])
        CodeList.objects.filter(pk=found.pk).update(**given.facts)
        gone = before.keys() - {row.code for row in rows}
        found.values.filter(code__in=gone).delete()
        CodeValue.objects.bulk_create(
            (_value(found, row, before.get(row.code)) for row in rows),
            update_conflicts=True,
            unique_fields=["code_list", "code"],
            update_fields=["title_zh", "title_en", "colour", "parent", "selectable", "mark"],
        )
        name = f"{given.code}@{given.edition}"
        audit.record(by, "codes.change", "code-list", name, values=len(rows), gone=sorted(gone)[:100])
    found.refresh_from_db()
    return found


def vars_of(row: CodeRow) -> dict[str, Any]:
    """The columns of a code."""
    return {name: getattr(row, name) for name in CodeRow.__dataclass_fields__}


def _value(found: CodeList, row: CodeRow, before: CodeValue | None) -> CodeValue:
    """A code as it is from now on; how well it is known holds for the same words only."""
    same = before is not None and (before.title_zh, before.parent) == (row.title_zh, row.parent)
    return CodeValue(code_list=found, **vars_of(row), mark=before.mark if before is not None and same else "")


def _judged(by: Principal, given: Edition) -> list[CodeRow]:
    if not may_everywhere(by, Action.PUBLISH):
        raise NotDataManager()
    found = list(faults(given.rows))
    if not given.rows:
        raise CodeListFaulty(count=1, row=0, reason="there are no codes", reason_zh="没有代码", rows=[])
    if given.valid_from and given.valid_to and given.valid_to <= given.valid_from:
        en, zh = "the edition ends before it begins", "版本失效日期不晚于生效日期"
        raise CodeListFaulty(count=1, row=0, reason=en, reason_zh=zh, rows=[])
    if found:
        named = [
            {name: getattr(one, name) for name in ("row", "code", "reason", "reason_zh")}
            for one in found[:MOST_FAULTS]
        ]
        raise CodeListFaulty(
            count=len(found), rows=named, **{k: named[0][k] for k in ("row", "reason", "reason_zh")}
        )
    return rows_of(given.rows)


def _refuse_if_used(code_list: CodeList, gone: list[str]) -> None:
    """Refuse when a feature of any layer holds one of the codes that are gone."""
    used: set[str] = set()
    fields = Field.objects.filter(code_list=code_list).select_related("layer") if gone else []
    with connection.cursor() as cursor:
        for field in fields:
            text = sql.SQL(
                "SELECT DISTINCT {column}::text FROM {table} WHERE {column}::text = ANY(%s)"
            ).format(column=sql.Identifier(field.column), table=sql.Identifier("data", field.layer.name))
            cursor.execute(text.as_string(connection.connection), [gone])
            used |= {row[0] for row in cursor.fetchall()}
    if used:
        raise CodeInUse(codes=", ".join(sorted(used)[:50]))
