"""Code lists in editions: those that come with the platform, and what the database holds now."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Count

from layers.catalogue import FieldInfo
from layers.models import CodeList, CodeMapping, CodeValue
from layers.rules.codelists import seeded
from spatial.errors import Kind, OnemapError


class CodeListNotFound(OnemapError):
    """No code list has this code and edition."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "code-list-not-found"
    message: ClassVar = "there is no code list {code} of edition {edition}"
    message_zh: ClassVar = "没有代码表 {code} 的 {edition} 版"


def find(reference: str) -> CodeList | None:
    """The code list that `CODE@EDITION` names."""
    code, _, edition = reference.partition("@")
    return CodeList.objects.filter(code=code, edition=edition).first()


def named(code: str, edition: str) -> CodeList:
    """The code list of this code and edition.

    Raises
    ------
    CodeListNotFound
    """
    found = CodeList.objects.filter(code=code, edition=edition).first()
    if found is None:
        raise CodeListNotFound(code=code, edition=edition)
    return found


def choices(code_list: CodeList) -> tuple[tuple[str, str, str], ...]:
    """What a field may hold: code, title in Chinese and in English; headings are left out."""
    listed = CodeValue.objects.filter(code_list=code_list, selectable=True).order_by("code")
    return tuple(listed.values_list("code", "title_zh", "title_en"))


def declared(name: str, column: str, kind: str, facts: Mapping[str, Any]) -> FieldInfo:
    """A field that is not in the catalogue yet, as an import declares it."""
    code_list = find(facts["code_list"]) if facts.get("code_list") else None
    return FieldInfo(
        name=name,
        column=column,
        type=kind,
        alias_zh=facts.get("alias_zh") or "",
        alias_en=facts.get("alias_en") or "",
        unit=facts.get("unit") or "",
        required=bool(facts.get("required")),
        minimum=facts.get("minimum"),
        maximum=facts.get("maximum"),
        max_length=facts.get("max_length"),
        codes=choices(code_list) if code_list else None,
        code_list=facts["code_list"] if code_list else None,
    )


def described(code_list: CodeList) -> dict[str, Any]:
    """A list's own facts."""
    return {
        **{name: getattr(code_list, name) for name in ("code", "edition", "title_zh", "title_en", "source")},
        "valid_from": code_list.valid_from,
        "valid_to": code_list.valid_to,
    }


def listed() -> list[tuple[CodeList, int]]:
    """Every list with the number of its codes, by code and edition."""
    found = CodeList.objects.annotate(count=Count("values")).order_by("code", "edition")
    return [(one, one.count) for one in found]


def mapped(source: CodeList, target: CodeList) -> list[dict[str, Any]]:
    """How codes of one list read in the other: `{source, target, relation, note}`, in the order of the codes.

    What was written down from the target's side counts as well, the other way round.
    """
    forth = CodeMapping.objects.filter(source__code_list=source, target__code_list=target)
    back = CodeMapping.objects.filter(source__code_list=target, target__code_list=source)
    found = [
        _mapping(one.source, one.target, one.relation, one.note)
        for one in forth.select_related("source", "target")
    ]
    found += [
        _mapping(one.target, one.source, _TURNED.get(one.relation, one.relation), one.note)
        for one in back.select_related("source", "target")
    ]
    return sorted(found, key=lambda one: (one["source"]["code"], one["target"]["code"]))


_TURNED = {"wider": "narrower", "narrower": "wider"}


def _mapping(source: CodeValue, target: CodeValue, relation: str, note: str) -> dict[str, Any]:
    ends = {
        side: {"code": one.code, "title_zh": one.title_zh, "title_en": one.title_en}
        for side, one in (("source", source), ("target", target))
    }
    return {**ends, "relation": relation, "note": note}


def tree(values: Iterable[CodeValue]) -> list[dict[str, Any]]:
    """Codes below their parents, each `{code, children}`; a code whose parent is not in the list is a root."""
    nodes: dict[str, dict[str, Any]] = {}
    parents = {one.code: one.parent for one in values}
    for code in sorted(parents):
        nodes[code] = {"code": code, "children": []}
    roots: list[dict[str, Any]] = []
    for code, node in nodes.items():
        parent = nodes.get(parents[code])
        (parent["children"] if parent is not None and parent is not node else roots).append(node)
    return roots


def load_seeds() -> int:
    """Add the lists that come with the platform and are not there yet; return how many.

    A list that is there is an operator's, and is left as it is. Mappings are added with the later of their lists.
    """
    known = set(CodeList.objects.values_list("code", "edition"))
    missing = [row for row in seeded("lists") if (row["code"], row["edition"]) not in known]
    if not missing:
        return 0
    with transaction.atomic():
        for row in missing:
            _load(row)
        _map({(row["code"], row["edition"]) for row in missing})
    return len(missing)


def _load(row: Mapping[str, str]) -> None:
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to")}
    made = CodeList.objects.create(**{**row, **days})
    CodeValue.objects.bulk_create(
        CodeValue(code_list=made, **{**one, "selectable": one["selectable"] == "yes"})
        for one in seeded(f"{row['code']}@{row['edition']}")
    )


def _map(new: set[tuple[str, str]]) -> None:
    """The mappings that concern a list of `new`, where both codes are there."""
    values = {
        (one.code_list.code, one.code_list.edition, one.code): one
        for one in CodeValue.objects.select_related("code_list")
    }
    found = []
    for row in seeded("mappings"):
        ends = [row[side].partition("@")[::2] for side in ("source", "target")]
        source, target = (
            values.get((end[0], end[1], row[name]))
            for end, name in zip(ends, ("source_code", "target_code"), strict=True)
        )
        if source is not None and target is not None and new & set(ends):
            found.append(
                CodeMapping(source=source, target=target, relation=row["relation"], note=row["note"])
            )
    CodeMapping.objects.bulk_create(found, ignore_conflicts=True)
