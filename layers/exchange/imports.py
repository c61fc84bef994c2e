"""The import of a file as a job: receive, inspect, stage, judge, publish.

Numbered fail points lie between the steps; killed at any of them the live layer is untouched, and the next attempt
begins anew from the received file.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg2 import sql

from layers import catalogue, tables
from layers.exchange import publishing
from layers.exchange.inspecting import Inspection, inspect
from layers.exchange.judging import drop_twins, judge_whole
from layers.exchange.options import BadOption, ImportOptions, judge
from layers.exchange.publishing import Counts, Delivery
from layers.exchange.receiving import Received, discard, receive
from layers.exchange.staging import Pipe, Tally, Target, stage
from layers.models import Layer, Lineage
from process.context import JobContext, LostJob
from process.jobs import enqueue
from process.models import Job, State
from process.runner import run_or_wait
from spatial.errors import OnemapError
from spatial.formats import Source, internal_columns

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
    job = enqueue(KIND, _arguments(received, options), created_by=options.actor)
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
        _drop_staged(staged)
    if report is not None:  # held or a dry run: nothing was published
        report["seconds"] = round(time.monotonic() - began, 3)
        with transaction.atomic():
            context.finish(report, state=State.HELD if report["status"] == "held" else State.DONE)
    discard(Path(origin["folder"]))
    return None


def _steps(
    context: JobContext, options: ImportOptions, origin: Mapping[str, str], staged: str
) -> dict[str, Any] | None:
    """Run the steps; return a report if the import ends without publishing, None if it was published."""
    began = time.monotonic()
    layer = judge(options)
    context.progress("inspect", 0.01)
    found = inspect(Path(origin["path"]), options, layer)
    context.fail_point(1)
    if found.held or found.source is None:
        return _report(options, found, Tally(), Counts(), status="held")
    target = _target(found, options, layer)
    tally = _stage(context, found.source, target, staged, options, layer)
    context.fail_point(2)
    judge_whole(found, tally, options, origin)
    if found.held:
        return _report(options, found, tally, Counts(), status="held")
    context.progress("index", 0.8)
    delivery = Delivery(options, staged, target.family, list(target.fields), tally, _origin(found, origin))
    drop_twins(delivery, layer, tally)
    if options.dry_run:
        return _report(options, found, tally, publishing.foresee(delivery, layer), status="done")
    if layer is None:
        with transaction.atomic(), connection.cursor() as cursor:
            tables.index_staged(cursor, sql.Identifier("staging", staged), valid_time=options.valid_time)
    context.fail_point(3)
    context.check_cancel()
    context.progress("publish", 0.9)
    _publish(context, found, delivery, layer, began)
    return None


def _publish(
    context: JobContext, found: Inspection, delivery: Delivery, layer: Layer | None, began: float
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if layer is None:
            counts = publishing.create(cursor, delivery)
        else:
            counts = publishing.change(cursor, delivery, layer)
        context.fail_point(4)
        report = _report(delivery.options, found, delivery.tally, counts, status="done")
        report["seconds"] = round(time.monotonic() - began, 3)
        Lineage.objects.filter(layer__name=delivery.options.layer, revision=counts.revision).update(
            report=report
        )
        context.finish(report)
    context.fail_point(5)


def _target(found: Inspection, options: ImportOptions, layer: Layer | None) -> Target:
    source = found.source
    if source is None or found.move is None or source.family is None:
        raise BadOption(
            option="PATH", reason="the file has no geometry; tables without geometry are no layers yet"
        )
    known = catalogue.current().layer(layer.name).by_name if layer else {}
    new = [one for one in source.fields if one.name not in known]
    columns = internal_columns([*known, *(one.name for one in new)])
    names = {name: column for name, column in zip([*known, *(one.name for one in new)], columns, strict=True)}
    names |= {name: one.column for name, one in known.items()}
    fields = [
        (one.name, names[one.name], known[one.name].type if one.name in known else one.type)
        for one in source.fields
    ]
    day = options.valid_from or time.strftime("%Y-%m-%d")
    return Target(
        family=source.family,
        fields=fields,
        rules=list(known.values()),
        move=found.move,
        repair=options.repair,
        numbered=layer is None,
        valid_from=day if layer is None and options.valid_time else None,
    )


def _stage(
    context: JobContext,
    source: Source,
    target: Target,
    staged: str,
    options: ImportOptions,
    layer: Layer | None,
) -> Tally:
    columns = [(column, kind) for _, column, kind in target.fields]
    compared = options.mode != "append"  # rows that are only added are compared with nothing

    def copy(pipe: Pipe) -> None:
        text = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
            sql.Identifier("staging", staged), tables.column_list(target.columns)
        )
        cursor.cursor.copy_expert(text.as_string(connection.connection), pipe, size=1 << 20)

    def progress(read: int) -> None:
        context.progress("read", 0.02 + 0.75 * min(read / max(source.count, 1), 1.0))
        context.check_cancel()

    with transaction.atomic(), connection.cursor() as cursor:
        if layer is None:
            tables.create_staged(
                cursor,
                staged,
                columns,
                family=target.family,
                valid_time=options.valid_time,
                labelled=bool(options.label_field),
            )
        else:
            tables.create_loading(cursor, staged, columns, keyed=compared)
        tally = stage(source, target, copy, progress)
        if layer is not None and compared:
            tables.analyse(cursor, staged)
    return tally


def _origin(found: Inspection, origin: Mapping[str, str]) -> dict[str, str]:
    source = found.source
    return {
        "source_name": origin["name"],
        "sha256": origin["sha256"],
        "driver": source.driver if source else "",
        "source_crs": f"EPSG:{found.srid}",
        "encoding": (source.encoding or "") if source else "",
    }


def _report(
    options: ImportOptions, found: Inspection, tally: Tally, counts: Counts, *, status: str
) -> dict[str, Any]:
    """The report of contract.md. Of a held file nothing counts as read; a dry run tells what would become of it."""
    taken = tally if status == "done" else Tally()
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
    if status == "held":
        report["reason"] = "held: " + "; ".join(f"{one.code} (pass {one.give})" for one in found.held)
    return report


def _drop_staged(staged: str) -> None:
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DROP TABLE IF EXISTS {}")
            .format(sql.Identifier("staging", staged))
            .as_string(connection.connection)
        )


def sweep_staging() -> int:
    """Remove staging tables and received files of jobs that have ended; return how many tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'staging' AND tablename ~ '^job_[0-9]+$'"
        )
        found = [row[0] for row in cursor.fetchall()]
    open_states = [State.QUEUED, State.RUNNING]
    alive = {
        f"job_{pk}"
        for pk in Job.objects.filter(kind=KIND, state__in=open_states).values_list("pk", flat=True)
    }
    for name in set(found) - alive:
        _drop_staged(name)
    held = Job.objects.filter(kind=KIND, state__in=open_states).values_list("arguments", flat=True)
    kept = {Path(one["source"]["folder"]).name for one in held}
    incoming = settings.ONEMAP_VAR / "incoming"
    hour_ago = time.time() - 3600
    for folder in incoming.iterdir() if incoming.is_dir() else ():
        if folder.name not in kept and folder.stat().st_mtime < hour_ago:
            discard(folder)
    return len(set(found) - alive)
