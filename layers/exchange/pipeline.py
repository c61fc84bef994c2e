"""One source on its way: inspected, staged, judged, and later published. An import and a delivery go the same way."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from psycopg2 import sql

from layers import catalogue, codes, tables
from layers.exchange import publishing
from layers.exchange.inspecting import Inspection, family_of, inspect
from layers.exchange.judging import drop_twins, judge_whole, note_unmatched
from layers.exchange.options import BadOption, ImportOptions, judge
from layers.exchange.publishing import Counts, StagedRows
from layers.exchange.staging import Pipe, Tally, Target, stage
from layers.models import Layer
from process.context import JobContext
from spatial.formats import Source, internal_columns
from spatial.validity import Family


@dataclass
class Prepared:
    """A source that was looked at.

    Attributes
    ----------
    layer
        The layer it goes into; None where it makes a new one.
    rows
        What waits in schema staging; None if the source is held.
    """

    options: ImportOptions
    found: Inspection
    tally: Tally
    layer: Layer | None
    rows: StagedRows | None = None

    @property
    def held(self) -> bool:
        """Whether a person has to decide something first."""
        return bool(self.found.held) or self.rows is None


def prepare(
    context: JobContext,
    options: ImportOptions,
    origin: Mapping[str, str],
    table: str,
    span: tuple[float, float] = (0.0, 0.85),
) -> Prepared:
    """Inspect, stage and judge one source; nothing of it can be seen yet.

    Parameters
    ----------
    origin
        `path`, `name` and `sha256` of the received file.
    table
        The name of its table in schema staging.
    span
        Which part of the job's progress this is.

    Raises
    ------
    OnemapError
        The source cannot be read, or goes into no layer as asked.
    """
    layer = judge(options)
    context.progress("inspect", span[0] + 0.01)
    found = inspect(Path(origin["path"]), options, layer)
    context.fail_point(1)
    if found.held or found.source is None:
        return Prepared(options, found, Tally(), layer)
    target = _target(found, options, layer)
    tally = _stage(context, found.source, target, table, options, layer, span)
    context.fail_point(2)
    judge_whole(found, tally, options, origin)
    if found.held:
        return Prepared(options, found, tally, layer)
    context.progress("index", span[1])
    rows = StagedRows(
        options, table, target.family, list(target.fields), tally.staged, tally.extent, _origin(found, origin)
    )
    drop_twins(rows, layer, tally)
    note_unmatched(rows, layer, tally)
    return Prepared(options, found, tally, layer, replace(rows, count=tally.staged))


def index(rows: StagedRows) -> StagedRows:
    """Index the staged rows of a new layer and count its tiles, so that publishing them takes no time.

    Two connections share the work: the index of places takes one core as long as all the rest takes another. Rows
    that only the caller's transaction sees are its own work.
    """
    if rows.family is Family.TABLE:
        levels = _index_values(rows)
    elif connection.in_atomic_block:
        _index_shapes(rows)
        levels = _index_values(rows)
    else:
        with ThreadPoolExecutor(1, "import-index") as beside:
            shapes = beside.submit(_index_shapes_apart, rows)
            levels = _index_values(rows)
            shapes.result()
    with transaction.atomic(), connection.cursor() as cursor:
        tables.complete_staged(cursor, rows.table, valid_time=rows.options.valid_time)
    return replace(rows, first_levels=levels)


def _index_values(rows: StagedRows) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        tables.index_values(
            cursor,
            rows.table,
            valid_time=rows.options.valid_time,
            columns=[column for name, column, _ in rows.fields if name == rows.options.join_field],
            sorted_by=[one[1:] for one in rows.fields if one[0] in publishing.sortable(rows)],
        )
        return publishing.staged_levels(cursor, rows)


def _index_shapes(rows: StagedRows) -> None:
    with connection.cursor() as cursor:
        tables.index_shapes(cursor, rows.table)


def _index_shapes_apart(rows: StagedRows) -> None:
    """On a connection of this thread's own, which ends with it."""
    try:
        _index_shapes(rows)
    finally:
        connection.close()


def publish(cursor: Any, rows: StagedRows, layer: Layer | None) -> Counts:
    """Put staged rows on the one map, within the caller's transaction."""
    return publishing.create(cursor, rows) if layer is None else publishing.change(cursor, rows, layer)


def _target(found: Inspection, options: ImportOptions, layer: Layer | None) -> Target:
    source = found.source
    if source is None or found.move is None:
        raise BadOption(option="PATH", reason="the file has no layer to read")
    known = catalogue.current().layer(layer.name).by_name if layer else {}
    new = [one for one in source.fields if one.name not in known]
    columns = internal_columns([*known, *(one.name for one in new)])
    names = {name: column for name, column in zip([*known, *(one.name for one in new)], columns, strict=True)}
    names |= {name: one.column for name, one in known.items()}
    fields = [
        (one.name, names[one.name], known[one.name].type if one.name in known else one.type)
        for one in source.fields
    ]
    declared = [
        codes.declared(one.name, names[one.name], one.type, options.fields.get(one.name, {})) for one in new
    ]
    day = options.valid_from or time.strftime("%Y-%m-%d")
    return Target(
        family=family_of(source, layer, joined=bool(options.joins)),
        fields=fields,
        rules=[*known.values(), *declared],
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
    span: tuple[float, float],
) -> Tally:
    columns = [(column, kind) for _, column, kind in target.fields]
    compared = options.mode != "append"  # rows that are only added are compared with nothing

    def copy(pipe: Pipe) -> None:
        # Frozen as they come: the table is this transaction's own, and whoever reads it next has nothing to mark.
        text = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, FREEZE)").format(
            sql.Identifier("staging", staged), tables.column_list(target.columns)
        )
        cursor.cursor.copy_expert(text.as_string(connection.connection), pipe, size=1 << 20)

    def progress(read: int) -> None:
        context.progress(
            "read", span[0] + 0.02 + (span[1] - span[0] - 0.02) * min(read / max(source.count, 1), 1.0)
        )
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
        "source_crs": f"EPSG:{found.srid}" if source and source.family else "",
        "encoding": (source.encoding or "") if source else "",
    }


def drop_staged(table: str) -> None:
    """Remove a table from schema staging, if the connection still lives."""
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DROP TABLE IF EXISTS {}")
            .format(sql.Identifier("staging", table))
            .as_string(connection.connection)
        )
