"""The acceptance of a delivery, as a job: all its layers, tables and rasters in one transaction."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from layers.actions.locks import take_alone, take_names
from layers.exchange import rasters
from layers.exchange.deliveries.flow import CHECK, discard_files, drop_tables, folder_of
from layers.exchange.deliveries.planning import options_of
from layers.exchange.pipeline import publish
from layers.exchange.publishing import Counts, StagedRows
from layers.models import Delivery, DeliveryPart, Layer, Lineage
from layers.packages.writing import write_package
from process import jobs
from process.context import Cancelled, JobContext, LostJob
from spatial.errors import Kind, OnemapError

State = Delivery.State


class MovedOn(OnemapError):
    """The one map changed between check and acceptance; the delivery is checked again."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "layer-moved-on"
    message: ClassVar = "layer {layer} was changed after the check; the delivery is being checked again"
    message_zh: ClassVar = "图层 {layer} 在检查之后有更新，正在重新检查该交付"


class StagedLost(MovedOn):
    """What was staged is gone: tables that are not logged are empty after a crash of the database."""

    code: ClassVar = "staged-lost"
    message: ClassVar = (
        "what was staged for layer {layer} is gone, as after a crash of the database;"
        " the delivery is being checked again"
    )
    message_zh: ClassVar = "图层 {layer} 的暂存数据已丢失（数据库可能曾异常中断），正在重新检查该交付"


def run_accept(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of `accept_delivery`."""
    delivery = Delivery.objects.get(pk=context.arguments["delivery"])
    if delivery.state != State.ACCEPTING or delivery.job != context.job_id:
        return {"status": "done", "state": delivery.state}
    try:
        _accept(context, delivery)
    except LostJob:
        raise
    except MovedOn as error:
        _check_again(delivery, error)
        raise
    except Cancelled:
        Delivery.objects.filter(pk=delivery.pk).update(state=State.CHECKED)
        raise
    except OnemapError as error:
        Delivery.objects.filter(pk=delivery.pk).update(state=State.FAILED, reason=error.text("zh"))
        raise
    drop_tables(delivery)
    discard_files(delivery)
    return None


def _check_again(delivery: Delivery, error: MovedOn) -> None:
    with transaction.atomic():
        job = jobs.enqueue(CHECK, {"delivery": delivery.pk}, created_by=delivery.decided_by)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=State.CHECKING, job=job.pk, reason=error.text("zh")
        )


def _accept(context: JobContext, delivery: Delivery) -> None:
    began = time.monotonic()
    parts = list(delivery.parts.all())
    context.progress("package", 0.05)
    package = write_package(
        _received(folder_of(delivery)),
        settings.ONEMAP_VAR / "packages" / f"{delivery.token}.zip",
        facts=package_facts(delivery),
    )
    context.fail_point(1)
    context.check_cancel()
    context.progress("publish", 0.3)
    with transaction.atomic(), connection.cursor() as cursor:
        layers = _taken(cursor, parts)
        for place, part in enumerate(parts):
            counts = _publish(context, cursor, part, delivery, layers.get(part.layer_name))
            _tell(part, counts, delivery)
            context.progress("publish", 0.3 + 0.65 * (place + 1) / len(parts))
            context.fail_point(2 + min(place, 1))
        delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
        delivery.state, delivery.package = State.ACCEPTED, package.name
        delivery.decided_at = timezone.now()
        delivery.save()
        seconds = round(time.monotonic() - began, 1)
        context.finish(
            {"status": "done", "delivery": delivery.pk, "state": delivery.state, "seconds": seconds}
        )
        context.fail_point(4)
    context.fail_point(5)


def _received(folder: Path) -> dict[str, Path]:
    """The files as they came, a shapefile's companions too, without what was unpacked of them."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): path
        for path in files
        if not path.is_relative_to(folder / "unpacked")
    }


def _taken(cursor: Any, parts: list[DeliveryPart]) -> dict[str, Layer]:
    """The layers that are there, each taken alone, in the order of their ids: two deliveries never wait crosswise.

    Raises
    ------
    MovedOn
        A layer is not as it was when the delivery was checked.
    """
    names = [part.layer_name for part in parts]
    take_names(cursor, names)
    found = list(Layer.objects.filter(name__in=names, deleted_at=None).order_by("pk"))
    for layer in found:
        take_alone(cursor, layer.pk)
        layer.refresh_from_db()
    known = {layer.name: layer for layer in found}
    for part in parts:
        held = known.get(part.layer_name)
        if (held.revision if held else None) != part.facts.get("revision"):
            raise MovedOn(layer=part.layer_name)
    return known


def _publish(
    context: JobContext, cursor: Any, part: DeliveryPart, delivery: Delivery, layer: Layer | None
) -> Counts:
    options = options_of(part, delivery)
    if part.kind == "raster":
        before = layer.revision if layer else 0
        prepared = rasters.PreparedRaster.from_json(options, part.facts)
        revision = rasters.publish_raster(cursor, prepared, layer)
        new = revision != before
        return Counts(inserted=int(new), unchanged=int(not new), revision=revision)
    names = ("table", "family", "fields", "count", "extent", "origin", "first_levels")
    facts = {name: part.facts[name] for name in names if name in part.facts}
    rows = StagedRows.from_json(options, facts)
    _require_staged(cursor, rows)
    return publish(cursor, rows, layer)


def _require_staged(cursor: Any, rows: StagedRows) -> None:
    """Refuse to publish fewer rows than were checked: an empty file would empty its layer.

    Raises
    ------
    StagedLost
    """
    text = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("staging", rows.table))
    cursor.execute(text.as_string(connection.connection))
    if cursor.fetchone()[0] != rows.count:
        raise StagedLost(layer=rows.options.layer)


def _tell(part: DeliveryPart, counts: Counts, delivery: Delivery) -> None:
    part.report |= {
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "removed": counts.removed,
        "conflicts": counts.conflicts,
        "revision": counts.revision,
    }
    part.save(update_fields=["report"])
    if part.kind == "raster" and not counts.inserted:
        return  # the version that is there keeps the report of its own delivery
    report = {**part.report, "delivery": delivery.pk}
    Lineage.objects.filter(layer__name=part.layer_name, revision=counts.revision).update(report=report)


def package_facts(delivery: Delivery) -> dict[str, Any]:
    """What a package's manifest says of its delivery."""
    return {
        "name": delivery.name,
        "department": delivery.department.code,
        "sent_by": delivery.sent_by,
        "sent_at": delivery.sent_at.isoformat(),
        "accepted_by": delivery.decided_by,
        "profile": delivery.document,
        "answers": delivery.answers,
        "verdict": {name: delivery.verdict.get(name) for name in ("passed", "blocks", "warns", "notes")},
        "layers": [
            {"layer": part.layer_name, "source": part.source, "kind": part.kind}
            for part in delivery.parts.all()
        ],
    }
