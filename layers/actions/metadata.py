"""Metadata in versions (the core record of ISO 19115): written as a draft, and true once approved.

What the data say themselves (coordinate system, extent, secrecy, fields, quality, addresses) is never typed: it is
read with the record. Neither a draft nor a delivery changes what was approved.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from layers.models import Layer, MetadataVersion
from process import audit
from spatial.errors import Kind, OnemapError

State = MetadataVersion.State

# Longest text of each part, characters.
TEXTS = {
    "title_zh": 200,
    "title_en": 200,
    "abstract_zh": 5_000,
    "abstract_en": 5_000,
    "purpose": 2_000,
    "provider": 200,
    "contact": 200,
    "epoch": 60,
    "scale": 60,
    "height_datum": 60,
    "format": 60,
    "lineage": 5_000,
    "use_limits": 2_000,
    "update_cycle": 60,
}
DAYS = ("produced", "published", "revised")
# MD_TopicCategoryCode of ISO 19115-1.
TOPICS = (
    "farming",
    "biota",
    "boundaries",
    "climatologyMeteorologyAtmosphere",
    "economy",
    "elevation",
    "environment",
    "geoscientificInformation",
    "health",
    "imageryBaseMapsEarthCover",
    "intelligenceMilitary",
    "inlandWaters",
    "location",
    "oceans",
    "planningCadastre",
    "society",
    "structure",
    "transportation",
    "utilitiesCommunication",
)
PARTS = (*TEXTS, "keywords", "topic", *DAYS)
MOST_KEYWORDS, LONGEST_KEYWORD = 50, 60


class BadMetadata(OnemapError):
    """A record with a part that is not there to be written, or not as written."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-metadata"
    message: ClassVar = "{part}: {reason}"
    message_zh: ClassVar = "{part}：{reason_zh}"


class VersionNotFound(OnemapError):
    """There is no such version of the layer's metadata."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "metadata-version-not-found"
    message: ClassVar = "layer {layer} has no metadata version {number}"
    message_zh: ClassVar = "图层 {layer} 没有元数据版本 {number}"


class NotADraft(OnemapError):
    """Only a draft can be approved."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "not-a-draft"
    message: ClassVar = "metadata version {number} of layer {layer} is no draft"
    message_zh: ClassVar = "图层 {layer} 的元数据版本 {number} 不是草稿"


def judge(document: Mapping[str, Any]) -> dict[str, Any]:
    """The record, trimmed.

    Raises
    ------
    BadMetadata
        A part that is unknown or filled from the data, of the wrong type or too long; no Chinese title.
    """
    for part in document:
        if part not in PARTS:
            raise _bad(
                part,
                "no part of the record, or filled from the data",
                "不是可填写的元数据项，或由数据自动生成",
            )
    record: dict[str, Any] = {part: _text(document, part, most) for part, most in TEXTS.items()}
    if not record["title_zh"]:
        raise _bad("title_zh", "a Chinese title is needed", "须填写中文标题")
    record |= {part: _day(document, part) for part in DAYS}
    record["topic"] = _text(document, "topic", 60)
    if record["topic"] and record["topic"] not in TOPICS:
        raise _bad("topic", f"one of {', '.join(TOPICS)}", "不是 ISO 19115 主题类别")
    record["keywords"] = _keywords(document.get("keywords", []))
    return record


def _bad(part: str, reason: str, reason_zh: str) -> BadMetadata:
    return BadMetadata(part=part[:60], reason=reason, reason_zh=reason_zh)


def _text(document: Mapping[str, Any], part: str, most: int) -> str:
    value = document.get(part)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise _bad(part, f"a text of at most {most} characters", f"应为不超过 {most} 字的文本")
    return value.strip()


def _day(document: Mapping[str, Any], part: str) -> str:
    value = _text(document, part, 10)
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError as error:
        raise _bad(part, "a day such as 2026-01-31", "应为日期，例如 2026-01-31") from error


def _keywords(given: Any) -> list[str]:
    right = (
        isinstance(given, list)
        and len(given) <= MOST_KEYWORDS
        and all(isinstance(one, str) and len(one) <= LONGEST_KEYWORD and "\x00" not in one for one in given)
    )
    if not right:
        limit = f"{MOST_KEYWORDS} × {LONGEST_KEYWORD}"
        raise _bad(
            "keywords", f"a list of texts, at most {limit} characters", f"应为文本列表，至多 {limit} 字"
        )
    return list(dict.fromkeys(one.strip() for one in given if one.strip()))


class MetadataChanged(OnemapError):
    """Someone else wrote the record after this writer read it."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "metadata-changed"
    message: ClassVar = "{by} has written the metadata of layer {layer} meanwhile; read it again"
    message_zh: ClassVar = "{by} 已修改图层 {layer} 的元数据，请重新读取"


@transaction.atomic
def write_draft(
    layer_id: int, document: Mapping[str, Any], *, by: str, seen: datetime | None = None
) -> MetadataVersion:
    """Keep a record as the layer's one draft; the approved one stays as it is.

    Parameters
    ----------
    seen
        When the draft (or, without one, the approved record) that the writer read was written; None does not ask.

    Raises
    ------
    BadMetadata, MetadataChanged
    """
    record = judge(document)
    layer = Layer.objects.select_for_update().get(pk=layer_id)
    standing = {one.state: one for one in MetadataVersion.objects.filter(layer=layer)}
    draft = standing.get(State.DRAFT)
    latest = draft or standing.get(State.APPROVED)
    # Times leave the platform in milliseconds.
    if seen and latest and abs(latest.written_at - seen) >= timedelta(milliseconds=1):
        raise MetadataChanged(layer=layer.name, by=latest.written_by)
    facts = {
        "document": record,
        "revision": layer.revision,
        "written_by": by[:200],
        "written_at": timezone.now(),
    }
    if draft is None:
        last = MetadataVersion.objects.filter(layer=layer).aggregate(last=Max("number"))["last"] or 0
        draft = MetadataVersion.objects.create(layer=layer, number=last + 1, **facts)
    else:
        MetadataVersion.objects.filter(pk=draft.pk).update(**facts)
        draft.refresh_from_db()
    audit.record(by, "metadata.draft", "layer", layer.name, number=draft.number)
    return draft


def version_of(layer_id: int, number: int) -> MetadataVersion:
    """A version of a layer's metadata.

    Raises
    ------
    VersionNotFound
    """
    found = MetadataVersion.objects.select_related("layer").filter(layer_id=layer_id, number=number).first()
    if found is None:
        name = Layer.objects.values_list("name", flat=True).get(pk=layer_id)
        raise VersionNotFound(layer=name, number=number)
    return found


@transaction.atomic
def approve(layer_id: int, number: int, *, by: str) -> MetadataVersion:
    """Make a draft the layer's metadata: title, abstract, keywords, contact and cycle become what it says.

    Raises
    ------
    VersionNotFound, NotADraft
    """
    layer = Layer.objects.select_for_update().get(pk=layer_id)
    found = version_of(layer_id, number)
    if found.state != State.DRAFT:
        raise NotADraft(layer=layer.name, number=number)
    MetadataVersion.objects.filter(layer=layer, state=State.APPROVED).update(state=State.REPLACED)
    MetadataVersion.objects.filter(pk=found.pk).update(
        state=State.APPROVED, revision=layer.revision, approved_by=by[:200], approved_at=timezone.now()
    )
    names = ("title_zh", "title_en", "abstract_zh", "abstract_en", "keywords", "contact", "update_cycle")
    Layer.objects.filter(pk=layer.pk).update(**{name: found.document[name] for name in names})
    audit.record(by, "metadata.approve", "layer", layer.name, number=number, revision=layer.revision)
    found.refresh_from_db()
    return found


def begun(layer: Layer) -> dict[str, Any]:
    """A record to begin with: what the catalogue knows of the layer."""
    record: dict[str, Any] = dict.fromkeys(PARTS, "")
    names = ("title_zh", "title_en", "abstract_zh", "abstract_en", "contact", "update_cycle")
    record |= {name: getattr(layer, name) for name in names}
    return record | {"keywords": list(layer.keywords), "provider": layer.department.name_zh}
