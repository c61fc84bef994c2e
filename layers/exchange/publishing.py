"""From the staging table to the layer, in one transaction: the four modes of an import."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import sql

from accounts.models import Department
from layers import queries, tables
from layers.actions import give
from layers.actions.grants import Grantee
from layers.actions.locks import take_alone
from layers.exchange.options import ImportOptions
from layers.levels import city_grid, first_levels
from layers.models import Change, Field, Layer, Lineage, Theme
from process import audit
from spatial.errors import Kind, OnemapError
from spatial.tilegrids import TileMatrixSet, matrix_sets
from spatial.validity import Family

CELL_LEVEL = 8  # of CityGrid: the cells in which a bulk load says what it touched


@dataclass(frozen=True)
class StagedRows:
    """What is published: the staged rows and where they came from.

    Attributes
    ----------
    table
        Name of the table in schema staging.
    fields
        Source name, column, type.
    count, extent
        Of the staged rows; the extent in the storage CRS, None without geometry.
    origin
        source_name, sha256, driver, source_crs, encoding.
    """

    options: ImportOptions
    table: str
    family: Family
    fields: list[tuple[str, str, str]]
    count: int
    extent: list[float] | None
    origin: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As the facts of a delivery's part; the options are kept beside them."""
        facts = {name: value for name, value in vars(self).items() if name != "options"}
        return facts | {"family": self.family.value}

    @classmethod
    def from_json(cls, options: ImportOptions, facts: Mapping[str, Any]) -> "StagedRows":
        """From a delivery's part."""
        fields = [(name, column, kind) for name, column, kind in facts["fields"]]
        return cls(options=options, **{**facts, "family": Family(facts["family"]), "fields": fields})


@dataclass
class Counts:
    """What happened to the rows of the file, and to those it does not name."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    revision: int = 0


class KeyAmbiguous(OnemapError):
    """Features of the layer share a value of the field that should tell them apart."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "key-ambiguous"
    message: ClassVar = "{key} is no key of layer {layer}: {count} features share a value with another one"
    message_zh: ClassVar = "字段 {key} 不能作为图层 {layer} 的键：有 {count} 个要素与其他要素取值相同"


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
        revision=1,
        changed_at=timezone.now(),
        feature_count=rows.count,
        extent=rows.extent,
    )
    staged = sql.Identifier("staging", rows.table)
    layer.first_levels = first_levels(cursor, staged, len(rows.fields), grids())
    layer.save()
    _create_fields(layer, rows)
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


def _create_fields(layer: Layer, rows: StagedRows, start: int = 0) -> None:
    facts = rows.options.fields
    allowed = {"alias_zh", "alias_en", "unit", "required", "minimum", "maximum", "max_length"}
    Field.objects.bulk_create(
        Field(
            layer=layer,
            name=name,
            column=column,
            type=kind,
            order=start + number,
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
    """
    take_alone(cursor, layer.pk)
    layer.refresh_from_db()
    revision = layer.revision + 1
    _add_new_fields(cursor, rows, layer)
    counts = _planned(cursor, rows, layer)
    counts.revision = revision
    _run(cursor, _script(rows, layer), _bound(rows, revision))
    _finish_layer(cursor, layer, rows, counts)
    _note_change(layer, rows, counts)
    _note_cells(cursor, layer, revision)
    cursor.execute("DROP TABLE IF EXISTS import_plan")
    return counts


def foresee(rows: StagedRows, layer: Layer | None) -> Counts:
    """What publishing would do, counted and taken back: nothing is written, no editor waits."""
    if layer is None:
        return Counts(inserted=rows.count)
    with transaction.atomic(), connection.cursor() as cursor:
        _add_new_fields(cursor, rows, layer)
        counts = _planned(cursor, rows, layer)
        transaction.set_rollback(True)
    return counts


def _bound(rows: StagedRows, revision: int) -> dict[str, Any]:
    return {"revision": revision, "day": rows.options.valid_from or timezone.localdate().isoformat()}


def _planned(cursor: Any, rows: StagedRows, layer: Layer) -> Counts:
    """Make the table import_plan, where one is needed, and count what it holds.

    Raises
    ------
    KeyAmbiguous
        A row of the file would be several features of the layer.
    """
    if _only_adds(rows, layer):
        return Counts(inserted=rows.count)
    _run(cursor, _plan(rows, layer), _bound(rows, 0))
    cursor.execute(
        "SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),"
        " count(*) FILTER (WHERE op = 'same'), count(*) FILTER (WHERE op = 'gone'),"
        ' count("row") - count(DISTINCT "row") FROM import_plan'
    )
    *counts, surplus = cursor.fetchone()
    if surplus:
        raise KeyAmbiguous(key=rows.options.key or layer.key_field, layer=layer.name, count=surplus)
    return Counts(*counts)


def _add_new_fields(cursor: Any, rows: StagedRows, layer: Layer) -> None:
    known = {one.name for one in Field.objects.filter(layer=layer)}
    new = [one for one in rows.fields if one[0] not in known]
    if not new:
        return
    tables.add_columns(cursor, layer.name, [(column, kind) for _, column, kind in new])
    _create_fields(layer, StagedRows(**{**vars(rows), "fields": new}), start=len(known))


def _names(rows: StagedRows, layer: Layer) -> dict[str, sql.Composable]:
    columns = [column for _, column, _ in rows.fields]
    periods = ["valid_from", "valid_to"] if layer.valid_time else []
    return {
        "table": sql.Identifier("data", layer.name),
        "history": sql.Identifier("history", layer.name),
        "staged": sql.Identifier("staging", rows.table),
        "columns": tables.column_list(["geom", *columns]),
        "staged_columns": sql.SQL(", ").join(sql.Identifier("staged", name) for name in ("geom", *columns)),
        "live_row": sql.SQL("ROW({})").format(
            sql.SQL(", ").join(sql.Identifier("live", name) for name in columns)
        ),
        "staged_row": sql.SQL("ROW({})").format(
            sql.SQL(", ").join(sql.Identifier("staged", name) for name in columns)
        ),
        "all_columns": tables.column_list(["fid", "version", "rev_from", "geom", *periods, *columns]),
        "live_columns": sql.SQL(", ").join(
            sql.Identifier("live", name)
            for name in ("fid", "version", "rev_from", "geom", *periods, *columns)
        ),
        "assignments": sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("staged", name))
            for name in ("geom", *columns)
        ),
        "current": sql.SQL(
            "live.valid_from <= %(day)s AND (live.valid_to IS NULL OR live.valid_to > %(day)s)"
        )
        if layer.valid_time
        else sql.SQL("true"),
    }


def _plan(rows: StagedRows, layer: Layer) -> sql.Composable:
    """Which staged row is which feature: import_plan(row, fid, op, started)."""
    names = _names(rows, layer)
    started = sql.SQL("live.valid_from = %(day)s" if layer.valid_time else "true")
    key = next(
        (column for name, column, _ in rows.fields if name == (rows.options.key or layer.key_field)),
        None,
    )
    if rows.options.mode == "append":
        name = "plan_append"
    elif key is not None:
        name = "plan_by_key"
    else:
        name = "plan_by_equality"
    gone = sql.SQL("true" if rows.options.mode == "replace" else "false")
    text = sql.SQL(queries.load_sql(queries.SQL, name))
    return text.format(**names, key=sql.Identifier(key or "fid"), gone=gone, started=started)


def _only_adds(rows: StagedRows, layer: Layer) -> bool:
    """Whether every staged row is a new feature and nothing else happens: no plan is needed then."""
    return rows.options.mode == "append" and not layer.valid_time


def _script(rows: StagedRows, layer: Layer) -> sql.Composable:
    name = "load_valid_time" if layer.valid_time else "load_rows"
    if _only_adds(rows, layer):
        name = "load_new_rows"
    return sql.SQL(queries.load_sql(queries.SQL, name)).format(**_names(rows, layer))


def _run(cursor: Any, text: sql.Composable, bound: Mapping[str, Any]) -> None:
    cursor.execute(text.as_string(connection.connection), bound)


def _finish_layer(cursor: Any, layer: Layer, rows: StagedRows, counts: Counts) -> None:
    """The layer's row last: readers wait for nothing but this."""
    table = sql.Identifier("data", layer.name)
    levels = first_levels(cursor, table, Field.objects.filter(layer=layer).count(), grids())
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


def _note_cells(cursor: Any, layer: Layer, revision: int) -> None:
    side = settings.ONEMAP_GRID_SIZE / 2**CELL_LEVEL
    x, y = settings.ONEMAP_GRID_ORIGIN
    text = sql.SQL(queries.load_sql(queries.SQL, "note_cells")).format(
        table=sql.Identifier("data", layer.name), history=sql.Identifier("history", layer.name)
    )
    _run(
        cursor,
        text,
        {"layer": layer.pk, "revision": revision, "side": side, "x": x, "y": y, "last": 2**CELL_LEVEL - 1},
    )
