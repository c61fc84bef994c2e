"""Styles in versions: written as a draft, drawn once published, and published again as they once were."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from layers.catalogue import LayerInfo
from layers.models import Layer, LayerStyle
from layers.styles.model import fields_used
from layers.styles.reading import AnyStyle, read_style
from layers.styles.refusals import StyleRefused
from process import audit
from spatial.errors import Kind, OnemapError

DEFAULT = "default"
State = LayerStyle.State


class StyleVersionNotFound(OnemapError):
    """There is no such version of a style of the layer."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "style-version-not-found"
    message: ClassVar = "layer {layer} has no version {number} of a style of this name"
    message_zh: ClassVar = "图层 {layer} 没有该样式的版本 {number}"


def judge(layer: LayerInfo, document: Mapping[str, Any], fields: Collection[str]) -> AnyStyle:
    """The style of a document, if it speaks of these fields alone.

    Raises
    ------
    StyleRefused
    """
    found = read_style(document, layer.family)
    named = found.labels.field if found.labels is not None else None
    for field in sorted(fields_used(found) | ({named} if named else set())):
        if field not in fields:
            raise StyleRefused(where="field", what=f"the layer has no field {field[:60]!r}")
    return found


@transaction.atomic
def write_draft(
    layer: LayerInfo, name: str, document: Mapping[str, Any], *, by: str, reason: str
) -> LayerStyle:
    """Keep a document as the one draft of a style; what is drawn stays as it is.

    Raises
    ------
    StyleRefused
    """
    judge(layer, document, layer.by_name)
    row = Layer.objects.select_for_update().get(pk=layer.id)
    drafts = LayerStyle.objects.filter(layer=row, name=name, state=State.DRAFT)
    number = drafts.values_list("number", flat=True).first() or _next(row, name)
    facts = {
        "document": dict(document),
        "reason": reason,
        "written_by": by[:200],
        "written_at": timezone.now(),
    }
    written, _ = LayerStyle.objects.update_or_create(layer=row, name=name, number=number, defaults=facts)
    audit.record(by, "style.draft", "layer", layer.name, style=name, number=number)
    return written


@transaction.atomic
def publish(layer: LayerInfo, name: str, number: int, *, by: str) -> LayerStyle:
    """Draw a style by one of its versions. One that was replaced comes back as a new version: history has one line.

    Raises
    ------
    StyleRefused
        The layer's fields are others by now.
    StyleVersionNotFound
    """
    row = Layer.objects.select_for_update().get(pk=layer.id)
    found = version_of(layer, name, number)
    judge(layer, found.document, layer.by_name)
    if found.state == State.PUBLISHED:
        return found
    _keep_what_was(row, name)
    LayerStyle.objects.filter(layer=row, name=name, state=State.PUBLISHED).update(state=State.REPLACED)
    if found.state == State.REPLACED:
        told = {"document": found.document, "reason": found.reason, "written_by": found.written_by}
        found = LayerStyle(layer=row, name=name, number=_next(row, name), **told)
    found.state, found.published_by, found.published_at = State.PUBLISHED, by[:200], timezone.now()
    found.save()
    if name == DEFAULT:
        Layer.objects.filter(pk=row.pk).update(style=found.document)
    audit.record(by, "style.publish", "layer", layer.name, style=name, number=found.number)
    return found


def _keep_what_was(row: Layer, name: str) -> None:
    """The style that came with the layer is a version, too, so that it can come back."""
    if name != DEFAULT or LayerStyle.objects.filter(layer=row, name=name, state=State.PUBLISHED).exists():
        return
    LayerStyle.objects.create(
        layer=row, name=name, number=_next(row, name), document=row.style, state=State.REPLACED
    )


def _next(row: Layer, name: str) -> int:
    last = LayerStyle.objects.filter(layer=row, name=name).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def version_of(layer: LayerInfo, name: str, number: int) -> LayerStyle:
    """A version of a style.

    Raises
    ------
    StyleVersionNotFound
    """
    found = LayerStyle.objects.filter(layer_id=layer.id, name=name, number=number).first()
    if found is None:
        raise StyleVersionNotFound(layer=layer.name, number=number)
    return found


def published(layer: LayerInfo, name: str) -> Mapping[str, Any] | None:
    """The document of a style as it is drawn; None where the layer has none of this name."""
    if name == DEFAULT:
        return layer.style
    listed = LayerStyle.objects.filter(layer_id=layer.id, name=name, state=State.PUBLISHED)
    return listed.values_list("document", flat=True).first()
