"""Staged rows against the layer they go into: what is new, changed, the same, gone, or in a correction's way.

A correction is a change made on the one map (an edit, an undo, a restore) that the layer's last delivery did not
know. Where a delivery would overwrite one, a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import connection
from django.utils import timezone
from psycopg2 import sql

from layers import queries, tables
from layers.exchange.inspecting import Held
from layers.exchange.options import ImportOptions
from layers.models import Field, Layer, Lineage
from spatial.errors import Kind, OnemapError
from spatial.validity import Family


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
    first_levels
        Of a new layer, from which level on there are tiles, by tile matrix set; None until they are counted.
    """

    options: ImportOptions
    table: str
    family: Family
    fields: list[tuple[str, str, str]]
    count: int
    extent: list[float] | None
    origin: Mapping[str, str]
    first_levels: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the facts of a delivery's part; the options are kept beside them."""
        facts = {name: value for name, value in vars(self).items() if name != "options"}
        return facts | {"family": self.family.value}

    @classmethod
    def from_json(cls, options: ImportOptions, facts: Mapping[str, Any]) -> "StagedRows":
        """From a delivery's part."""
        fields = [(name, column, kind) for name, column, kind in facts["fields"]]
        return cls(options=options, **{**facts, "family": Family(facts["family"]), "fields": fields})


@dataclass(frozen=True)
class PlanCounts:
    """What publishing would do, in features; `same`, `insert` and `update` add up to the staged rows.

    Attributes
    ----------
    gone
        Features that the file does not name and that end.
    conflict
        Features whose correction the delivery does not know, whatever the answer to that is; those kept as
        they are do not count as inserted, updated or gone.
    """

    insert: int = 0
    update: int = 0
    same: int = 0
    gone: int = 0
    conflict: int = 0


class KeyAmbiguous(OnemapError):
    """Features of the layer share a value of the field that should tell them apart."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "key-ambiguous"
    message: ClassVar = "{key} is no key of layer {layer}: {count} features share a value with another one"
    message_zh: ClassVar = "字段 {key} 不能作为图层 {layer} 的键：有 {count} 个要素与其他要素取值相同"


def make_plan(cursor: Any, rows: StagedRows, layer: Layer) -> PlanCounts:
    """Compare staged rows with the layer as it is now; the temporary tables last until the transaction ends.

    import_plan(row, fid, op, started) says which row is which feature, import_correction(fid, base) which features
    stand corrected, import_conflict(fid, row, op, conflict, base) where that is in the delivery's way.

    Raises
    ------
    KeyAmbiguous
        A row of the file would be several features of the layer.
    """
    names, bound = names_of(rows, layer), bound_values(rows, layer)
    cursor.execute("DROP TABLE IF EXISTS import_plan, import_correction, import_base, import_conflict")
    run(cursor, statement("difference_corrections", names), bound)
    cursor.execute("SELECT EXISTS (SELECT 1 FROM import_correction)")
    corrected = cursor.fetchone()[0]
    if only_adds(rows, layer):
        return PlanCounts(insert=rows.count)
    run(cursor, statement(_plan_name(rows, layer), names), bound)
    if corrected and rows.options.mode != "append":
        run(cursor, statement("difference_conflicts", names), bound)
    return _counted(cursor, rows, layer)


def only_adds(rows: StagedRows, layer: Layer) -> bool:
    """Whether every staged row is a new feature and nothing else happens: no plan is needed then."""
    return rows.options.mode == "append" and not layer.valid_time


def _counted(cursor: Any, rows: StagedRows, layer: Layer) -> PlanCounts:
    cursor.execute(
        "SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),"
        " count(*) FILTER (WHERE op = 'same'), count(*) FILTER (WHERE op = 'gone'),"
        ' count("row") - count(DISTINCT "row") FROM import_plan'
    )
    insert, update, same, gone, surplus = cursor.fetchone()
    if surplus:
        raise KeyAmbiguous(key=key_name(rows, layer), layer=layer.name, count=surplus)
    cursor.execute(
        "SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),"
        " count(*) FILTER (WHERE op = 'gone'), count(DISTINCT fid) FROM import_conflict"
    )
    kept_out, kept, staying, conflict = cursor.fetchone()
    if rows.options.conflicts != "keep":
        return PlanCounts(insert, update, same, gone, conflict)
    return PlanCounts(insert - kept_out, update - kept, same + kept_out + kept, gone - staying, conflict)


def keep_corrections(cursor: Any) -> None:
    """Take out of the plan what is in the way of a correction: those features stay as they are."""
    run(cursor, statement("difference_keep", {}), {})


def note_standing(cursor: Any, rows: StagedRows, layer: Layer) -> None:
    """Remember which corrections still stand against what the surveyor last said."""
    partial = rows.options.mode != "replace"
    named = not only_adds(rows, layer)
    bound = {
        "layer": layer.pk, "kept": rows.options.conflicts == "keep", "partial": partial, "named": named
    }  # fmt: skip
    text = "note_standing" if named else "note_standing_all"
    run(cursor, statement(text, {}), bound)


def key_name(rows: StagedRows, layer: Layer) -> str:
    """The source's name of the field by which features are told apart; empty without one."""
    return rows.options.key or layer.key_field


def key_column(rows: StagedRows, layer: Layer) -> str | None:
    """That field's column; None if the rows lack it."""
    name = key_name(rows, layer)
    return next((column for field, column, _ in rows.fields if field == name), None)


def _plan_name(rows: StagedRows, layer: Layer) -> str:
    if rows.options.mode == "append":
        return "plan_append"
    return "plan_by_equality" if key_column(rows, layer) is None else "plan_by_key"


def bound_values(rows: StagedRows, layer: Layer, revision: int = 0) -> dict[str, Any]:
    """What the statements bind: the load's day and revision, the layer, the revision of its last delivery."""
    last = (
        Lineage.objects.filter(layer=layer).order_by("-revision").values_list("revision", flat=True).first()
    )
    return {
        "revision": revision,
        "day": rows.options.valid_from or timezone.localdate().isoformat(),
        "layer": layer.pk,
        "delivered": last or 0,
    }


def statement(name: str, names: Mapping[str, sql.Composable]) -> sql.Composable:
    """A statement of layers/sql with its names filled in."""
    return sql.SQL(queries.load_sql(queries.SQL, name)).format(**names)


def run(cursor: Any, text: sql.Composable, bound: Mapping[str, Any]) -> None:
    """Execute a statement with its values."""
    cursor.execute(text.as_string(connection.connection), bound)


def names_of(rows: StagedRows, layer: Layer) -> dict[str, sql.Composable]:
    """What the statements name: tables, columns, rows of values, equality."""
    columns = [column for _, column, _ in rows.fields]
    periods = ["valid_from", "valid_to"] if layer.valid_time else []
    own = ["fid", "version", "rev_from", "geom", *periods, *columns]
    live, staged, was = (values_of(alias, rows, layer) for alias in ("live", "staged", "was"))
    key = key_column(rows, layer)
    return {
        "table": sql.Identifier("data", layer.name),
        "history": sql.Identifier("history", layer.name),
        "staged": sql.Identifier("staging", rows.table),
        "columns": tables.column_list(["geom", *columns]),
        "staged_columns": _listed("staged", ["geom", *columns]),
        "live_row": _row(live),
        "staged_row": _row(staged),
        "was_row": _row(was),
        "base_columns": sql.SQL(", ").join(
            [sql.SQL("live.geom"), *(sql.SQL("{} AS {}").format(one, sql.Identifier(column))
                                     for one, column in zip(live, columns, strict=True))]
        ),
        "all_columns": tables.column_list(own),
        "live_columns": _listed("live", own),
        "assignments": sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("staged", name))
            for name in ("geom", *columns)
        ),
        "current": sql.SQL(
            "live.valid_from <= %(day)s AND (live.valid_to IS NULL OR live.valid_to > %(day)s)"
            if layer.valid_time
            else "true"
        ),
        "started": sql.SQL("live.valid_from = %(day)s" if layer.valid_time else "true"),
        "gone": sql.SQL("true" if rows.options.mode == "replace" else "false"),
        "key": sql.Identifier(key or "fid"),
        "live_digest": _digest(rows.family, "live", live),
        "staged_digest": _digest(rows.family, "staged", staged),
        "same_shape": same_shape(rows.family, "live", "staged"),
        "was_live": same_shape(rows.family, "was", "live"),
        "was_staged": same_shape(rows.family, "was", "staged"),
        "returned": _returned(rows.family, key, _row(was), _row(staged)),
    }  # fmt: skip


def values_of(alias: str, rows: StagedRows, layer: Layer) -> list[sql.Composable]:
    """The columns of the rows' fields; a field that the layer does not have yet is null in its features."""
    if alias != "live":
        return [sql.Identifier(alias, column) for _, column, _ in rows.fields]
    known = set(Field.objects.filter(layer=layer).values_list("column", flat=True))
    return [
        sql.Identifier("live", column)
        if column in known
        else sql.SQL("NULL::{}").format(sql.SQL(tables.COLUMN_TYPES[kind]))
        for _, column, kind in rows.fields
    ]


def _row(values: list[sql.Composable]) -> sql.Composable:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(values))


def _listed(alias: str, columns: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in columns)


def _ordered(family: Family, alias: str) -> sql.Composable:
    """A geometry in the one form that means the same.

    A single form equals a multiple one of a single part, and a polygon may begin its rings at another corner or
    run them the other way round: files differ in that without meaning anything. The direction of a line means
    something.
    """
    form = "ST_Normalize(ST_Multi({}))" if family is Family.POLYGON else "ST_Multi({})"
    return sql.SQL(form).format(sql.Identifier(alias, "geom"))


def same_shape(family: Family, one: str, other: str) -> sql.Composable:
    """Whether two geometries are the same to the last digit.

    Only geometries of the same box that differ byte by byte are put in order first.
    """
    if family is Family.TABLE:
        return sql.SQL("true")
    return sql.SQL(
        "({a} = {b} OR ({a} ~= {b} AND ST_NPoints({a}) = ST_NPoints({b}) AND {ordered_a} = {ordered_b}))"
    ).format(
        a=sql.Identifier(one, "geom"),
        b=sql.Identifier(other, "geom"),
        ordered_a=_ordered(family, one),
        ordered_b=_ordered(family, other),
    )


def _digest(family: Family, alias: str, values: list[sql.Composable]) -> sql.Composable:
    """A digest that tells rows apart by their shape and values; 16 bytes, so that sorting is quick."""
    if family is Family.TABLE:
        return sql.SQL("md5({}::text)::uuid").format(_row(values))
    return sql.SQL("md5(md5({}::bytea) || {}::text)::uuid").format(_ordered(family, alias), _row(values))


def _returned(family: Family, key: str | None, was: sql.Composable, staged: sql.Composable) -> sql.Composable:
    """Whether a row of the file is a feature as the previous delivery left it: by key, else by being equal."""
    if key is not None:
        return sql.SQL("staged.{key} = was.{key}").format(key=sql.Identifier(key))
    equal = sql.SQL("{} IS NOT DISTINCT FROM {}").format(was, staged)
    return equal if family is Family.TABLE else sql.SQL("was.geom = staged.geom AND {}").format(equal)


def hold_for_plan(counts: PlanCounts, options: ImportOptions, layer: Layer) -> list[Held]:
    """Why a person has to look at a comparison before it is published; empty when nobody has to."""
    held = []
    if counts.conflict and options.conflicts == "hold":
        held.append(
            Held(
                "corrections-conflict",
                f"{counts.conflict} features were corrected on the one map since the previous delivery,"
                " and this one gives them another way",
                f"上次交付以来有 {counts.conflict} 个要素在一张图上更正过，本次交付与之不一致",
                "--conflicts keep|take",
                {"count": counts.conflict},
            )
        )
    changed = counts.insert + counts.update + counts.gone
    share = changed / layer.feature_count if layer.feature_count else 0.0
    if options.most_changed is None or share <= options.most_changed or "count-jumped" in options.accept:
        return held
    facts = {
        "share": round(share, 4), "most": options.most_changed, "features": layer.feature_count,
        "inserted": counts.insert, "updated": counts.update, "removed": counts.gone,
    }  # fmt: skip
    return [
        *held,
        Held(
            "count-jumped",
            f"{share:.1%} of the layer's features would change; up to {options.most_changed:.1%} is expected",
            f"将有 {share:.1%} 的要素发生变化，超出预期的 {options.most_changed:.1%}",
            "--accept count-jumped",
            facts,
        ),
    ]
