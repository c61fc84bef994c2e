"""The import of a file as a job: receive, inspect, stage, judge, publish.

Numbered fail points lie between the steps; killed at any of them the live layer is untouched, and the next attempt
begins anew from the received file.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from layers.exchange import publishing, rasters
from layers.exchange.options import ImportOptions, judge
from layers.exchange.pipeline import Prepared, drop_staged, index, prepare, publish
from layers.exchange.publishing import Counts, PlanHeld, StagedRows
from layers.exchange.rasters import importing as raster_import
from layers.exchange.receiving import Received, discard, receive
from layers.exchange.staging import Tally
from layers.models import Lineage
from process.context import JobContext, LostJob
from process.jobs import enqueue
from process.models import Job, State
from process.runner import run_or_wait
from spatial.errors import OnemapError

KIND = "import_layer"


def import_now(path: Path, options: ImportOptions, on_progress: Any = None) -> dict[str, Any]:
    """Receive a file and import it as a job; return the report (contract.md) once the job has ended.

    Raises
    ------
    OnemapError
        The import could not begin: a bad option, an unreadable path.
    """
    judge(options)
    received = receive(path)
    kind = raster_import.KIND if path.suffix.lower() in rasters.SUFFIXES else KIND
    job = enqueue(kind, _arguments(received, options), created_by=options.actor)
    ended = run_or_wait(job, on_progress)
    return _report_of(ended, options)


def _arguments(received: Received, options: ImportOptions) -> dict[str, Any]:
    source = {
        "path": str(received.path),
        "folder": str(received.folder),
        "name": received.name,
        "sha256": received.sha256,
    }
    return {"source": source, "options": options.to_json()}


def _report_of(job: Job, options: ImportOptions) -> dict[str, Any]:
    result: dict[str, Any] = dict(job.result or {})
    if job.state in {State.DONE, State.HELD}:
        return result
    reason = result.get("reason") or job.reason or job.state
    return {"layer": options.layer, **result, "status": "failed", "reason": reason}


def run_import(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of import jobs."""
    began = time.monotonic()
    options = ImportOptions.from_json(context.arguments["options"])
    origin = context.arguments["source"]
    staged = f"job_{context.job_id}"
    try:
        report = _steps(context, options, origin, staged)
    except LostJob:
        raise  # another attempt needs the file
    except OnemapError:
        discard(Path(origin["folder"]))
        raise
    finally:
        drop_staged(staged)
    if report is not None:  # held or a dry run: nothing was published
        report["seconds"] = round(time.monotonic() - began, 3)
        with transaction.atomic():
            context.finish(report, state=State.HELD if report["status"] == "held" else State.DONE)
    discard(Path(origin["folder"]))
    return None


def _steps(
    context: JobContext, options: ImportOptions, origin: Mapping[str, str], table: str
) -> dict[str, Any] | None:
    """Run the steps; return a report if the import ends without publishing, None if it was published."""
    began = time.monotonic()
    prepared = prepare(context, options, origin, table)
    if prepared.rows is None:
        return _report(prepared, Counts(), status="held")
    if options.dry_run:
        return _report(prepared, publishing.foresee(prepared.rows, prepared.layer), status="done")
    rows = index(prepared.rows) if prepared.layer is None else prepared.rows
    context.fail_point(3)
    context.check_cancel()
    context.progress("publish", 0.9)
    try:
        _publish(context, prepared, rows, began)
    except PlanHeld as held:  # taken back: nothing of it was published
        prepared.found.held += held.held
        return _report(prepared, Counts(), status="held")
    return None


def _publish(context: JobContext, prepared: Prepared, rows: StagedRows, began: float) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        counts = publish(cursor, rows, prepared.layer)
        context.fail_point(4)
        report = _report(prepared, counts, status="done")
        report["seconds"] = round(time.monotonic() - began, 3)
        Lineage.objects.filter(layer__name=rows.options.layer, revision=counts.revision).update(report=report)
        context.finish(report)
    context.fail_point(5)


def _report(prepared: Prepared, counts: Counts, *, status: str) -> dict[str, Any]:
    """The report of contract.md. Of a held file nothing counts as read; a dry run tells what would become of it."""
    options, found, tally = prepared.options, prepared.found, prepared.tally
    taken = tally if status == "done" else Tally()
    for one in counts.corrections:
        tally.find(**_correction(one, options))
    would_write = counts.inserted + counts.updated + counts.unchanged
    report: dict[str, Any] = {
        "status": status,
        "layer": options.layer,
        "mode": options.mode,
        "dry_run": options.dry_run,
        "held": [one.to_json() for one in found.held],
        "read": taken.read,
        "examined": tally.read,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "removed": counts.removed,
        "conflicts": counts.conflicts,
        "rejected": taken.rejected,
        "repaired": taken.repaired,
        "written": 0 if options.dry_run else would_write,
        "findings": tally.findings,
        "finding_count": tally.finding_count,
        "source_crs": f"EPSG:{found.srid}" if found.srid else None,
        "accuracy_m": found.move.accuracy_m if found.move else None,
        "encoding": found.source.encoding if found.source else None,
        "revision": counts.revision or None,
    }
    if options.dry_run and status == "done":
        report["would_write"] = would_write
        report["would_hold"] = [one.to_json() for one in counts.held]
    if status == "held":
        report["reason"] = "held: " + "; ".join(f"{one.code} (pass {one.give})" for one in found.held)
    return report


def _correction(one: Mapping[str, Any], options: ImportOptions) -> dict[str, Any]:
    """A correction that a delivery does not know, as a finding: what becomes of it."""
    named = one["value"] if one["value"] is not None else f"#{one['fid']}"
    facts = {
        "row": one["row"],
        "fid": one["fid"],
        "field": options.key,
        "value": one["value"],
        "conflict": one["conflict"],
    }
    if options.conflicts == "keep":
        return {
            "code": "correction-kept",
            "level": "note",
            **facts,
            "message": f"{named}: corrected on the one map, stays as it is",
            "message_zh": f"{named}：已在一张图上更正，保持不变",
        }
    return {
        "code": "correction-overwritten",
        "level": "warning",
        **facts,
        "message": f"{named}: corrected on the one map, the delivery takes its place",
        "message_zh": f"{named}：已在一张图上更正，以本次交付为准",
    }
