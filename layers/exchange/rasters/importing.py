"""The import of one raster as a job: prepare, publish. Killed between the two, nothing of it can be seen."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from layers.exchange.options import ImportOptions
from layers.exchange.rasters.files import folder
from layers.exchange.rasters.preparing import PreparedRaster, prepare_raster, target_of
from layers.exchange.rasters.publishing import publish_raster
from layers.exchange.receiving import discard
from layers.models import Layer, Lineage
from process.context import JobContext, LostJob
from process.models import State
from spatial.errors import OnemapError

KIND = "import_raster"


def run_raster_import(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of import jobs of rasters."""
    began = time.monotonic()
    options = ImportOptions.from_json(context.arguments["options"])
    origin = context.arguments["source"]
    prepared: PreparedRaster | None = None
    try:
        prepared = prepare_raster(context, options, origin)
        context.check_cancel()
        if prepared.held or options.dry_run:
            _end(context, prepared, began)
            _drop(prepared)
        else:
            context.progress("publish", 0.95)
            _publish(context, prepared, began)
    except LostJob:
        raise  # another attempt needs the file
    except OnemapError:
        _drop(prepared)
        discard(Path(origin["folder"]))
        raise
    discard(Path(origin["folder"]))
    return None


def _drop(prepared: PreparedRaster | None) -> None:
    """Remove a rewritten file that no version will name."""
    if prepared is not None and prepared.file:
        (folder() / prepared.file).unlink(missing_ok=True)


def _end(context: JobContext, prepared: PreparedRaster, began: float) -> None:
    """A held file, or a dry run: nothing is published, and what was written is of no use to anyone."""
    if prepared.file:
        (folder() / prepared.file).unlink(missing_ok=True)
    layer = Layer.objects.filter(name=prepared.options.layer, deleted_at=None).first()
    outcome = "held" if prepared.held else "updated" if layer else "inserted"
    with transaction.atomic():
        report = _report(prepared, outcome, None, began)
        context.finish(report, state=State.HELD if prepared.held else State.DONE)


def _publish(context: JobContext, prepared: PreparedRaster, began: float) -> None:
    layer = target_of(prepared.options)
    before = layer.revision if layer else None
    with transaction.atomic(), connection.cursor() as cursor:
        revision = publish_raster(cursor, prepared, layer)
        outcome = "inserted" if before is None else "unchanged" if before == revision else "updated"
        context.fail_point(3)
        report = _report(prepared, outcome, revision, began)
        if outcome != "unchanged":
            Lineage.objects.filter(layer__name=prepared.options.layer, revision=revision).update(
                report=report
            )
        context.finish(report)
    context.fail_point(4)


def _report(prepared: PreparedRaster, outcome: str, revision: int | None, began: float) -> dict[str, Any]:
    """The report of contract.md, a raster counted as one feature; and what the raster is."""
    options, facts = prepared.options, prepared.facts
    held = outcome == "held"
    written = int(not held and not options.dry_run)
    counts = {name: int(name == outcome) for name in ("inserted", "updated", "unchanged")}
    names = ("columns", "rows", "bands", "dtype", "nodata", "cell", "extent", "statistics", "size")
    report: dict[str, Any] = {
        "status": "held" if held else "done",
        "layer": options.layer,
        "mode": options.mode,
        "dry_run": options.dry_run,
        "held": [one.to_json() for one in prepared.held],
        "read": int(not held),
        "examined": 1,
        **counts,
        "removed": 0,
        "rejected": 0,
        "repaired": 0,
        "written": written,
        "findings": prepared.notes,
        "finding_count": len(prepared.notes),
        "source_crs": prepared.origin.get("source_crs"),
        "encoding": None,
        "raster": {name: facts.get(name) for name in names} if facts else None,
        "revision": revision,
        "seconds": round(time.monotonic() - began, 3),
    }
    if options.dry_run and not held:
        report["would_write"] = 1
    if held:
        report["reason"] = "held: " + "; ".join(f"{one.code} (pass {one.give})" for one in prepared.held)
    return report
