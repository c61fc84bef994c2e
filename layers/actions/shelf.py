"""Taking a whole layer away, and bringing it back within thirty days."""

from datetime import timedelta
from typing import ClassVar

from django.db import connection, transaction
from django.utils import timezone

from layers.models import Layer
from layers.tables import drop_tables
from process import audit
from spatial.errors import Kind, OnemapError

KEPT = timedelta(days=30)


class NotOnShelf(OnemapError):
    """No such layer was deleted, or too long ago."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "not-deleted"
    message: ClassVar = "layer {layer} was not deleted within the last 30 days"
    message_zh: ClassVar = "图层 {layer} 未在最近 30 天内被删除"


@transaction.atomic
def delete_layer(layer: Layer, *, by: str) -> None:
    """Hide a layer from every door at once; its features are kept for thirty days."""
    audit.record(by, "layer.delete", "layer", layer.name)
    Layer.objects.filter(pk=layer.pk).update(deleted_at=timezone.now())


@transaction.atomic
def restore_layer(name: str, *, by: str) -> Layer:
    """Bring a deleted layer back as it was.

    Raises
    ------
    NotOnShelf
    """
    layer = Layer.objects.filter(name=name, deleted_at__gt=timezone.now() - KEPT).first()
    if layer is None:
        raise NotOnShelf(layer=name)
    audit.record(by, "layer.restore", "layer", name)
    Layer.objects.filter(pk=layer.pk).update(deleted_at=None)
    layer.refresh_from_db()
    return layer


def purge_deleted() -> int:
    """Remove for good what was deleted more than thirty days ago; return how many layers."""
    gone = 0
    for layer in Layer.objects.filter(deleted_at__lte=timezone.now() - KEPT):
        with transaction.atomic(), connection.cursor() as cursor:
            drop_tables(cursor, layer.name)
            audit.record("platform", "layer.purge", "layer", layer.name)
            layer.delete()
        gone += 1
    return gone
