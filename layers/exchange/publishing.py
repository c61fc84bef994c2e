"""From the staging table to the layer, in one transaction: the four modes of an import."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from accounts.models import Department
from layers import codes, tables
from layers.actions import give
from layers.actions.grants import Grantee
from layers.actions.locks import take_alone
from layers.exchange.comparing import (
    PlanCounts,
    StagedRows,
    bound_values,
    hold_for_plan,
    keep_corrections,
    key_column,
    make_plan,
    names_of,
    note_standing,
    only_adds,
    run,
    statement,
)
from layers.exchange.inspecting import Held
from layers.levels import city_grid, first_levels
from layers.models import Change, Field, Layer, Lineage, Theme
from process import audit
from spatial.errors import Kind, OnemapError
from spatial.tilegrids import TileMatrixSet, matrix_sets
from spatial.validity import Family

CELL_LEVEL = 8  # of CityGrid: the cells in which a bulk load says what it touched
MOST_SORTABLE = 4  # fields that are indexed without being asked for
MOST_NAMED = 20_000  # features that a load names one by one
MOST_CORRECTIONS = 1_000  # named in a report; all are counted
__all__ = [
    "CELL_LEVEL",
    "MOST_NAMED",
    "Counts",
    "PlanHeld",
    "StagedRows",
    "change",
    "create",
    "foresee",
    "grids",
    "staged_levels",
]


@dataclass
class Counts:
    """What happened to the rows of the file, and to those it does not name."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    revision: int = 0
    conflicts: int = 0  # corrections made on the one map that the file does not know
    corrections: list[dict[str, Any]] = field(default_factory=list)  # the first of them
    held: list[Held] = field(default_factory=list)  # foreseen: why publishing would wait for a person


class PlanHeld(OnemapError):
    """A person has to decide something before these rows can be published."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "plan-held"
    message: ClassVar = "layer {layer} waits for a decision: {codes}"
    message_zh: ClassVar = "图层 {layer} 待人工确认：{codes}"

    def __init__(self, layer: str, held: list[Held]) -> None:
        super().__init__(layer=layer, codes=", ".join(one.code for one in held))
        self.held = held


def grids() -> list[TileMatrixSet]:
    """The tile matrix sets on offer."""
    return list(matrix_sets(city_grid()).values())


def create(cursor: Any, rows: StagedRows) -> Counts:
    """Mode create: the staging table becomes the layer's table. Runs in the publishing transaction."""
    options = rows.options
    layer = Layer(
        name=options.layer,
        title_zh=options.title,
        title_en=options.title_en,
        abstract_zh=options.abstract_zh,
        abstract_en=options.abstract_en,
        theme=Theme.objects.get(code=options.theme),
        department=Department.objects.get(code=options.department),
        family=rows.family.value,
        secrecy=options.level,
        valid_time=options.valid_time,
        key_field=options.key or "",
        label_field=options.label_field,
        style=dict(options.style),
        order=options.order,
        visible=options.visible,
        demo=options.demo,
        control=options.control,
        joins=Layer.objects.filter(name=options.joins, deleted_at=None).first() if options.joins else None,
        join_field=options.join_field,
        checks=dict(options.checks),
        update_days=options.update_days,
        revision=1,
        changed_at=timezone.now(),
        feature_count=rows.count,
        extent=rows.extent,
    )
    layer.first_levels = dict(staged_levels(cursor, rows) if rows.first_levels is None else rows.first_levels)
    layer.save()
    _create_fields(layer, rows, sortable(rows))
    columns = [(column, kind) for _, column, kind in rows.fields]
    tables.publish_staged(cursor, rows.table, layer.name)
    labelled = bool(layer.label_field)
    tables.create_history(
        cursor, layer.name, columns, family=rows.family, valid_time=layer.valid_time, labelled=labelled
    )
    counts = Counts(inserted=rows.count, revision=1)
    _note_change(layer, rows, counts)
    if options.public:
        give(Grantee(), ["view", "query"], by=options.actor, layer=layer)
    return counts


def staged_levels(cursor: Any, rows: StagedRows) -> dict[str, int]:
    """From which level on a new layer has tiles."""
    return _levels(cursor, sql.Identifier("staging", rows.table), rows, len(rows.fields))


def _levels(cursor: Any, table: sql.Identifier, rows: StagedRows, columns: int) -> dict[str, int]:
    """From which level on there are tiles; a table has none."""
    return {} if rows.family is Family.TABLE else first_levels(cursor, table, columns, grids())


def sortable(rows: StagedRows) -> list[str]:
    """Names of the fields of a new layer that get an index to sort by: each costs its share of the import.

    Those that the import says (`indexed`), else the key, the label and fields with a code list, four at most.
    """
    facts = rows.options.fields
    names = [name for name, _, _ in rows.fields]
    if said := [name for name in names if facts.get(name, {}).get("indexed")]:
        return said
    coded = [name for name in names if facts.get(name, {}).get("code_list")]
    wanted = dict.fromkeys([rows.options.key, rows.options.label_field, *coded])
    return [name for name in wanted if name in names][:MOST_SORTABLE]


def _create_fields(layer: Layer, rows: StagedRows, sortable: Sequence[str] = (), start: int = 0) -> None:
    facts = rows.options.fields
    allowed = {"alias_zh", "alias_en", "unit", "required", "minimum", "maximum", "max_length"}
    Field.objects.bulk_create(
        Field(
            layer=layer,
            name=name,
            column=column,
            type=kind,
            order=start + number,
            indexed=name in sortable,
            code_list=codes.find(facts.get(name, {}).get("code_list") or ""),
            **{
                fact: value
                for fact, value in facts.get(name, {}).items()
                if fact in allowed and value is not None
            },
        )
        for number, (name, column, kind) in enumerate(rows.fields)
    )


def change(cursor: Any, rows: StagedRows, layer: Layer) -> Counts:
    """Modes append, upsert and replace: the staged rows go into a layer that is there.

    The layer is taken alone first: edits are told to come back, and the next revision is known.

    Raises
    ------
    PlanHeld
        Corrections would be overwritten, or far more changes than expected, and nobody said that this is meant.
    """
    take_alone(cursor, layer.pk)
    layer.refresh_from_db()
    revision = layer.revision + 1
    _add_new_fields(cursor, rows, layer)
    planned = make_plan(cursor, rows, layer)
    if held := hold_for_plan(planned, rows.options, layer):
        raise PlanHeld(layer.name, held)
    counts = _counts(planned)
    counts.revision = revision
    counts.corrections = _corrections(cursor, rows, layer) if planned.conflict else []
    if rows.options.conflicts == "keep":
        keep_corrections(cursor)
    note_standing(cursor, rows, layer)
    run(cursor, _script(rows, layer), bound_values(rows, layer, revision))
    _finish_layer(cursor, layer, rows, counts)
    _note_change(layer, rows, counts)
    _note_places(cursor, layer, counts)
    cursor.execute("DROP TABLE IF EXISTS import_plan, import_correction, import_base, import_conflict")
    return counts


def foresee(rows: StagedRows, layer: Layer | None) -> Counts:
    """What publishing would do, counted and taken back: nothing is written, no editor waits."""
    if layer is None:
        return Counts(inserted=rows.count)
    with transaction.atomic(), connection.cursor() as cursor:
        planned = make_plan(cursor, rows, layer)
        counts = _counts(planned)
        counts.corrections = _corrections(cursor, rows, layer) if planned.conflict else []
        transaction.set_rollback(True)
    counts.held = hold_for_plan(planned, rows.options, layer)
    return counts


def _counts(planned: PlanCounts) -> Counts:
    return Counts(
        inserted=planned.insert,
        updated=planned.update,
        unchanged=planned.same,
        removed=planned.gone,
        conflicts=planned.conflict,
    )


def _corrections(cursor: Any, rows: StagedRows, layer: Layer) -> list[dict[str, Any]]:
    """The corrections in the delivery's way, the first thousand: row, fid, what the delivery does, key."""
    column = key_column(rows, layer)
    text = sql.SQL(
        'SELECT DISTINCT ON (conflict.fid) conflict."row", conflict.fid, conflict.op, conflict.conflict, {key}'
        " FROM import_conflict AS conflict LEFT JOIN import_base AS was USING (fid)"
        " LEFT JOIN {table} AS live ON live.fid = conflict.fid"
        " ORDER BY conflict.fid, conflict.op LIMIT {most}"
    ).format(
        key=sql.SQL("NULL" if column is None else "coalesce(was.{key}, live.{key})::text").format(
            key=sql.Identifier(column or "fid")
        ),
        table=sql.Identifier("data", layer.name),
        most=sql.Literal(MOST_CORRECTIONS),
    )
    run(cursor, text, {})
    names = ("row", "fid", "op", "conflict", "value")
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _add_new_fields(cursor: Any, rows: StagedRows, layer: Layer) -> None:
    known = {one.name for one in Field.objects.filter(layer=layer)}
    new = [one for one in rows.fields if one[0] not in known]
    if not new:
        return
    tables.add_columns(cursor, layer.name, [(column, kind) for _, column, kind in new])
    _create_fields(layer, StagedRows(**{**vars(rows), "fields": new}), start=len(known))


def _script(rows: StagedRows, layer: Layer) -> sql.Composable:
    name = "load_valid_time" if layer.valid_time else "load_rows"
    return statement("load_new_rows" if only_adds(rows, layer) else name, names_of(rows, layer))


def _finish_layer(cursor: Any, layer: Layer, rows: StagedRows, counts: Counts) -> None:
    """The layer's row last: readers wait for nothing but this."""
    table = sql.Identifier("data", layer.name)
    levels = _levels(cursor, table, rows, Field.objects.filter(layer=layer).count())
    text = sql.SQL(
        "SELECT n, ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b)"
        " FROM (SELECT {} AS n, ST_Extent(geom) AS b FROM {}) AS whole"
    ).format(sql.SQL("count(DISTINCT fid)" if layer.valid_time else "count(*)"), table)
    cursor.execute(text.as_string(connection.connection))
    number, *extent = cursor.fetchone()
    # The row is locked before the clock is read (see write_rows.sql).
    cursor.execute("SELECT 1 FROM layers_layer WHERE id = %s FOR NO KEY UPDATE", [layer.pk])
    cursor.execute(
        "UPDATE layers_layer SET revision = %s,"
        " changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond'),"
        " feature_count = %s, extent = %s WHERE id = %s",
        [counts.revision, number, extent if extent[0] is not None else None, layer.pk],
    )
    Layer.objects.filter(pk=layer.pk).update(first_levels=levels)
    layer.refresh_from_db()


def _note_change(layer: Layer, rows: StagedRows, counts: Counts) -> None:
    options, origin = rows.options, rows.origin
    Change.objects.create(
        layer=layer,
        revision=counts.revision,
        at=layer.changed_at or timezone.now(),
        kind="import",
        author=options.actor,
        reason=f"{options.mode}: {origin['source_name']}",
        inserted=counts.inserted,
        updated=counts.updated,
        deleted=counts.removed,
    )
    Lineage.objects.create(layer=layer, revision=counts.revision, mode=options.mode, **origin)
    audit.record(
        options.actor,
        "layer.import",
        "layer",
        layer.name,
        mode=options.mode,
        revision=counts.revision,
        source=origin["source_name"],
    )


def _note_places(cursor: Any, layer: Layer, counts: Counts) -> None:
    """Say what a load touched, for followers: feature by feature, or by cell when it is too much for that."""
    names = {
        "table": sql.Identifier("data", layer.name),
        "history": sql.Identifier("history", layer.name),
    }
    bound: dict[str, Any] = {"layer": layer.pk, "revision": counts.revision}
    if counts.inserted + counts.updated + counts.removed <= MOST_NAMED:
        run(cursor, statement("note_features", names), bound)
        return
    x, y = settings.ONEMAP_GRID_ORIGIN
    side = settings.ONEMAP_GRID_SIZE / 2**CELL_LEVEL
    grid = {"side": side, "x": x, "y": y, "last": 2**CELL_LEVEL - 1}
    run(cursor, statement("note_cells", names), bound | grid)
