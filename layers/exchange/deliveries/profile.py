"""Profile documents: judged against the published schema, in words for who writes one; and matched to a delivery."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jsonschema import Draft202012Validator, ValidationError

from spatial.errors import Kind, OnemapError

SCHEMA = Path(__file__).with_name("profile.schema.json")
MOST_TOLD = 20  # faults of a document told at once


class BadProfile(OnemapError):
    """A profile document does not say what a delivery is."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "profile-wrong"
    message: ClassVar = "the profile is wrong at {at}: {reason} ({more} more faults)"
    message_zh: ClassVar = "清单有误，位置 {at}：{reason_zh}（另有 {more} 处）"

    def __init__(self, faults: Sequence["DocumentFault"], more: int) -> None:
        first = faults[0]
        told = [vars(one) for one in faults]
        super().__init__(
            at=first.at,
            reason=first.reason,
            reason_zh=first.reason_zh,
            more=more + len(faults) - 1,
            faults=told,
        )


class PartAmbiguous(OnemapError):
    """Several sources of a delivery fit one part of its profile."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "part-ambiguous"
    message: ClassVar = (
        "several sources fit {source}: {names}; deliver one, or name it exactly in the profile"
    )
    message_zh: ClassVar = "有多个文件符合 {source}：{names}；请只保留一个，或在清单中写明准确名称"


@dataclass(frozen=True)
class DocumentFault:
    """Where a document is wrong, what is wrong, and so what to write."""

    at: str
    reason: str
    reason_zh: str


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A source of a delivery (its place in the list) and the part of the profile it is."""

    index: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """How the sources of a delivery meet its profile: in the profile's order, what is missing, what is left."""

    parts: list[PlannedPart]
    missing_required: list[str]
    unclaimed: list[str]


@cache
def schema() -> dict[str, Any]:
    """The published schema of profile documents."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


def judge_document(document: Mapping[str, Any]) -> None:
    """Refuse a document that is no profile, with the place and the words for each fault.

    Raises
    ------
    BadProfile
        Its facts hold `faults`: at, reason, reason_zh.
    """
    found = [_told(one) for one in Draft202012Validator(schema()).iter_errors(document)]
    if not found:
        found = list(_contradictions(document))
    if found:
        found.sort(key=lambda one: one.at)
        raise BadProfile(found[:MOST_TOLD], max(0, len(found) - MOST_TOLD))


def plan_parts(document: Mapping[str, Any], sources: Sequence[tuple[str, str]]) -> Planned:
    """Which source is which part.

    Parameters
    ----------
    sources
        Name without suffix, and kind ('layer', 'table' or 'raster').

    Raises
    ------
    PartAmbiguous
        Two sources fit a part that is not appended to its layer.
    """
    planned, missing, claimed = [], [], set()
    for part in document["parts"]:
        places = _fitting(part, sources)
        mode = part.get("mode") or document.get("mode") or "replace"
        if len(places) > 1 and mode != "append":
            raise PartAmbiguous(source=part["source"], names=", ".join(sources[place][0] for place in places))
        if not places and part.get("required", True):
            missing.append(part["source"])
        planned += [PlannedPart(place, part) for place in places]
        claimed |= set(places)
    left = [name for place, (name, _) in enumerate(sources) if place not in claimed]
    return Planned(planned, missing, left)


def _fitting(part: Mapping[str, Any], sources: Sequence[tuple[str, str]]) -> list[int]:
    """Places of the sources that fit a part: those of its very name, or else those of its pattern."""
    wanted = part["source"].casefold()
    kinds = {part["kind"]} if "kind" in part else {"layer", "table"}
    named = [(place, name.casefold()) for place, (name, kind) in enumerate(sources) if kind in kinds]
    exact = [place for place, name in named if name == wanted]
    return exact or [place for place, name in named if fnmatchcase(name, wanted)]


def _told(error: ValidationError) -> DocumentFault:
    reason, reason_zh = _REASONS.get(str(error.validator), _plain)(error)
    return DocumentFault(_at(error.absolute_path), reason, reason_zh)


def _at(path: Any) -> str:
    """A place in a document: parts[2].checks.area."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.lstrip(".") or "(document)"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "…"


def _missing(error: ValidationError) -> tuple[str, str]:
    lacking = ", ".join(sorted(set(error.validator_value).difference(error.instance)))
    return f"add {lacking}", f"缺少 {lacking}"


def _unknown(error: ValidationError) -> tuple[str, str]:
    known = sorted(error.schema.get("properties", {}))
    surplus = sorted(set(error.instance) - set(known))
    close = difflib.get_close_matches(surplus[0], known, n=1)
    hint, hint_zh = (f"; did you mean {close[0]}?", f"，是否应为 {close[0]}？") if close else ("", "")
    return f"unknown: {', '.join(surplus)}{hint}", f"无此项：{'、'.join(surplus)}{hint_zh}"


def _no_choice(error: ValidationError) -> tuple[str, str]:
    allowed = ", ".join(map(str, error.validator_value))
    return f"{_shown(error.instance)} is none of {allowed}", f"{_shown(error.instance)} 应为 {allowed} 之一"


_TYPES_ZH = {
    "object": "对象",
    "array": "数组",
    "string": "文字",
    "number": "数字",
    "integer": "整数",
    "boolean": "true 或 false",
    "null": "null",
}


def _wrong_type(error: ValidationError) -> tuple[str, str]:
    given: Any = error.validator_value
    wanted: list[str] = given if isinstance(given, list) else [given]
    zh = "或".join(_TYPES_ZH.get(one, one) for one in wanted)
    return f"{_shown(error.instance)} should be: {' or '.join(wanted)}", f"{_shown(error.instance)} 应为{zh}"


def _wrong_value(error: ValidationError) -> tuple[str, str]:
    """A value of the right type that is out of range or of another form: the schema's own words tell."""
    words = str(error.schema.get("description", ""))
    zh, _, en = words.partition("。 ")
    shown = _shown(error.instance)
    rule = f"{error.validator} {_shown(error.validator_value)}"
    return f"{shown} does not fit: {en or rule}", f"{shown} 不合要求：{zh or rule}"


def _no_form(error: ValidationError) -> tuple[str, str]:
    if "tolerance" in error.schema.get("properties", {}):
        return (
            "a sum needs either total, or table and by",
            "合计检查须给出 total，或同时给出 table 与 by",
        )
    return _wrong_value(error)


def _dependent(error: ValidationError) -> tuple[str, str]:
    given = [name for name in error.validator_value if name in error.instance]
    needed: set[str] = {other for name in given for other in error.validator_value[name]}
    lacking = sorted(needed - set(error.instance))
    return f"{given[0]} needs {', '.join(lacking)} too", f"填写 {given[0]} 时还须填写 {'、'.join(lacking)}"


def _plain(error: ValidationError) -> tuple[str, str]:
    return _wrong_value(error)


_REASONS = {
    "required": _missing,
    "additionalProperties": _unknown,
    "enum": _no_choice,
    "const": lambda error: (f"should be {error.validator_value}", f"应为 {error.validator_value}"),
    "type": _wrong_type,
    "anyOf": _no_form,
    "dependentRequired": _dependent,
}


def _contradictions(document: Mapping[str, Any]) -> Iterator[DocumentFault]:
    """What no schema can say: parts that are named but are not there, and two parts for one layer."""
    known = {part["source"].casefold() for part in document["parts"]}
    layers: dict[str, int] = {}
    for place, part in enumerate(document["parts"]):
        here = f"parts[{place}]"
        earlier = layers.setdefault(part["layer"], place)
        mode = part.get("mode") or document.get("mode")
        if earlier != place and mode != "append":
            yield DocumentFault(
                f"{here}.layer",
                f"layer {part['layer']} is that of parts[{earlier}] already; only mode append may share one",
                f"图层 {part['layer']} 已用于 parts[{earlier}]；仅追加方式可共用图层",
            )
        for where, name in _references(part.get("checks", {})):
            if name.startswith("part:") and name[5:].casefold() not in known:
                yield DocumentFault(
                    f"{here}.checks.{where}",
                    f"there is no part whose source is {name[5:]}",
                    f"清单中没有名为 {name[5:]} 的部分",
                )


def layers_named(document: Mapping[str, Any]) -> set[str]:
    """The layers that a document compares its parts with, beside those it brings."""
    named = {part["joins"] for part in document["parts"] if part.get("joins")}
    for part in document["parts"]:
        named |= {name for _, name in _references(part.get("checks", {}))}
    brought = {part["layer"] for part in document["parts"]}
    return {name for name in named - brought if not name.startswith("part:")}


def _references(checks: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if within := checks.get("partition", {}).get("within"):
        yield "partition.within", within
    for place, one in enumerate(checks.get("sums", [])):
        if one.get("table"):
            yield f"sums[{place}].table", one["table"]
    for place, one in enumerate(matches_of(checks)):
        yield f"matches[{place}].part", one["part"]


def matches_of(checks: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The declared counterparts; one may be written without a list."""
    found = checks.get("matches", [])
    return [found] if isinstance(found, Mapping) else list(found)
