"""Indexes to sort by, for layers that are there: a job, since the web role makes none."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from layers import tables
from layers.catalogue import LayerInfo, LayerNotFound
from layers.models import Field, Layer
from layers.rights import FieldNotFound
from process import audit
from process.context import JobContext
from process.jobs import enqueue
from process.models import Job

KIND = "layer.index"


@transaction.atomic
def ask(layer: LayerInfo, names: Sequence[str], *, by: str) -> Job:
    """Enqueue the indexing of fields.

    Raises
    ------
    FieldNotFound
    """
    for name in names:
        if name not in layer.by_name:
            raise FieldNotFound(layer=layer.name, field=name)
    audit.record(by, "layer.index", "layer", layer.name, fields=list(names))
    return enqueue(KIND, {"layer": layer.name, "fields": list(names)}, created_by=by)


def run_index(context: JobContext) -> Mapping[str, Any] | None:
    """The handler: one index after the other beside readers and writers, then the catalogue says so at once."""
    layer = Layer.objects.filter(name=context.arguments["layer"], deleted_at=None).first()
    if layer is None:
        raise LayerNotFound(layer=context.arguments["layer"])
    wanted = Field.objects.filter(layer=layer, name__in=context.arguments["fields"], indexed=False)
    fields = list(wanted)
    for number, field in enumerate(fields):
        context.check_cancel()
        context.progress(f"index {field.name}", number / len(fields))
        with connection.cursor() as cursor:
            tables.index_live(cursor, layer.name, field.column, field.type)
    with transaction.atomic():
        Field.objects.filter(pk__in=[field.pk for field in fields]).update(indexed=True)
        context.finish({"layer": layer.name, "fields": [field.name for field in fields]})
    return None
