"""What a delivery would change, kept so that a person can look at it before accepting.

Beside a staged table lies its plan (`<table>_plan`): one row per feature that would be inserted, updated or removed.
"""

from typing import Any, ClassVar

from django.db import connection
from psycopg2 import sql

from layers import tables
from layers.exchange.comparing import (
    PlanCounts,
    StagedRows,
    bound_values,
    hold_for_plan,
    key_column,
    key_name,
    make_plan,
    names_of,
    only_adds,
    run,
    statement,
    values_of,
)
from layers.models import Layer
from spatial.errors import Kind, OnemapError
from spatial.validity import Family

__all__ = ["PlanCounts", "difference", "drop_plan", "hold_for_plan", "keep_plan"]
OPS = {"insert": "insert", "update": "update", "remove": "gone"}  # as the API names them, as the plan does
NAMES = {word: name for name, word in OPS.items()}

USAGE_LOCK = 0x6F6D7573  # held while the web role is let into schema staging


class NothingCompared(OnemapError):
    """There is no comparison of these rows: they were published, or dropped, or never compared."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "nothing-compared"
    message: ClassVar = "the comparison with layer {layer} is no longer kept"
    message_zh: ClassVar = "与图层 {layer} 的比对结果已不再保留"


def keep_plan(cursor: Any, rows: StagedRows, layer: Layer | None) -> PlanCounts:
    """Compare staged rows with a layer and keep what was found; nothing of the layer is changed.

    Parameters
    ----------
    layer
        None if the rows make a new one: every row is an insertion, and nothing has to be kept.

    Returns
    -------
    PlanCounts
        For `hold_for_plan`; what would be done under the answer to conflicts in the options.

    Raises
    ------
    KeyAmbiguous
        A row of the file would be several features of the layer.
    """
    _drop(cursor, rows)
    _show_to_web(cursor, rows.table)
    if layer is None:
        return PlanCounts(insert=rows.count)
    counts = make_plan(cursor, rows, layer)
    if only_adds(rows, layer):
        return counts
    names = names_of(rows, layer) | _more_names(rows, layer)
    run(cursor, statement("difference_plan", names), bound_values(rows, layer))
    _show_to_web(cursor, plan_table(rows))
    return counts


def plan_table(rows: StagedRows) -> str:
    """The name of the kept plan in schema staging."""
    return f"{rows.table}_plan"


def drop_plan(rows: StagedRows) -> None:
    """Remove a kept plan."""
    with connection.cursor() as cursor:
        _drop(cursor, rows)


def _drop(cursor: Any, rows: StagedRows) -> None:
    run(cursor, sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("staging", plan_table(rows))), {})


def _show_to_web(cursor: Any, table: str) -> None:
    """Let the web role read one table of schema staging, where that role exists; no other of them."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [tables.WEB_ROLE])
    if cursor.fetchone() is None:
        return
    role = sql.Identifier(tables.WEB_ROLE)
    cursor.execute("SELECT has_schema_privilege(%s, 'staging', 'USAGE')", [tables.WEB_ROLE])
    if not cursor.fetchone()[0]:
        # Two comparisons at once would change the schema's one row; the second waits, and then has nothing to do.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [USAGE_LOCK])
        run(cursor, sql.SQL("GRANT USAGE ON SCHEMA staging TO {}").format(role), {})
    run(
        cursor,
        sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier("staging", table), role),
        {},
    )


def _more_names(rows: StagedRows, layer: Layer) -> dict[str, sql.Composable]:
    """What the statements about kept plans name besides."""
    live, staged = values_of("live", rows, layer), values_of("staged", rows, layer)
    changed = [
        sql.SQL("CASE WHEN {} IS DISTINCT FROM {} THEN {} END").format(one, other, sql.Literal(name))
        for (name, _, _), one, other in zip(rows.fields, live, staged, strict=True)
    ]
    return {
        "plan": sql.Identifier("staging", plan_table(rows)),
        "named": sql.SQL("array_remove(ARRAY[{}]::text[], NULL)").format(sql.SQL(", ").join(changed)),
        "area_live": _area(rows.family, "live"),
        "area_staged": _area(rows.family, "staged"),
    }


def _area(family: Family, alias: str) -> sql.Composable:
    if family is not Family.POLYGON:
        return sql.SQL("NULL::double precision")
    return sql.SQL("round(ST_Area({})::numeric, 2)::double precision").format(sql.Identifier(alias, "geom"))


def difference(
    rows: StagedRows, layer: Layer | None, *, op: str | None = None, after: int = 0, limit: int = 100
) -> dict[str, Any]:
    """One page of what a delivery would change, and the counts of it all.

    Parameters
    ----------
    op
        'insert', 'update', 'remove' or 'conflict'; None is all of them.
    after
        The `next` of the page before.

    Returns
    -------
    dict
        `rows`, `next` (None on the last page), `counts` (insert, update, same, remove, conflict; the rows as
        delivered, whatever becomes of conflicts). A row has fid, row, op, key, changes {field: [old, new]},
        area_before and area_after (square metres on the plane of the storage CRS), place and before (GeoJSON,
        longitude and latitude on CGCS2000: the new place, or the last one of a removed feature; the place before
        where it differs). A conflict says which ('correction', 'both') and has versions {field: [as last
        delivered, now, delivered]} and base_place.

    Raises
    ------
    NothingCompared
    """
    with connection.cursor() as cursor:
        needed = rows.table if layer is None or only_adds(rows, layer) else plan_table(rows)
        cursor.execute("SELECT to_regclass(%s) IS NULL", [f'staging."{needed}"'])
        if cursor.fetchone()[0]:
            raise NothingCompared(layer=rows.options.layer)
        if layer is None or only_adds(rows, layer):
            return _all_new(cursor, rows, layer, op, after, limit)
        names = names_of(rows, layer) | _more_names(rows, layer)
        names |= {"chosen": _chosen(op), "key": _key_text(rows, layer)}
        bound = bound_values(rows, layer) | {"after": after, "most": limit + 1}
        run(cursor, statement("difference_page", names), bound)
        found = cursor.fetchall()
        counts = _counts(cursor, rows, names["plan"])
    fields = [name for name, _, _ in rows.fields]
    return {
        "rows": [_told(one, fields) for one in found[:limit]],
        "next": found[limit - 1][0] if len(found) > limit else None,
        "counts": counts,
    }


def _chosen(op: str | None) -> sql.Composable:
    if op is None:
        return sql.SQL("true")
    if op == "conflict":
        return sql.SQL("plan.conflict IS NOT NULL")
    return sql.SQL("plan.op = {}").format(sql.Literal(OPS[op]))


def _key_text(rows: StagedRows, layer: Layer) -> sql.Composable:
    """The key as text, of the delivered row or else of the feature."""
    column = key_column(rows, layer)
    if column is None:
        return sql.SQL("NULL")
    return sql.SQL("coalesce({}, {})::text").format(
        sql.Identifier("staged", column), sql.Identifier("live", column)
    )


def _counts(cursor: Any, rows: StagedRows, plan: sql.Composable) -> dict[str, int]:
    text = sql.SQL(
        "SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),"
        " count(*) FILTER (WHERE op = 'gone'), count(DISTINCT fid) FILTER (WHERE conflict IS NOT NULL) FROM {}"
    )
    run(cursor, text.format(plan), {})
    insert, update, gone, conflict = cursor.fetchone()
    same = rows.count - insert - update
    return {"insert": insert, "update": update, "same": same, "remove": gone, "conflict": conflict}


def _told(row: tuple[Any, ...], fields: list[str]) -> dict[str, Any]:
    """A row of the plan as the API shows it."""
    _, op, number, fid, key, changed, moved, area_before, area_after, conflict, *three = row
    live, staged, was = (list(values.values()) if values is not None else None for values in three[:3])
    place_now, place_given, place_was = three[3:]
    told = {
        "fid": fid,
        "row": number,
        "op": NAMES[op],
        "key": key,
        "changes": _changes(op, changed, fields, live, staged),
        "area_before": area_before,
        "area_after": area_after,
        "place": place_now if op == "gone" else place_given,
        "before": place_now if moved else None,
        "conflict": conflict,
    }
    if conflict is not None:
        told["versions"] = _versions(fields, was, live, staged)
        told["base_place"] = place_was
    return told


Values = list[Any] | None


def _changes(op: str, changed: list[str], fields: list[str], live: Values, staged: Values) -> dict[str, Any]:
    """Old and new value of the fields that differ; of what comes or goes, of those that have a value."""
    pairs = _beside(fields, live if op != "insert" else None, staged)
    if op == "update":
        return {name: pairs[name] for name in changed}
    return {name: pair for name, pair in pairs.items() if pair != [None, None]}


def _versions(fields: list[str], was: Values, live: Values, staged: Values) -> dict[str, list[Any]]:
    """The fields in which the three versions are not all the same."""
    rows = _beside(fields, was, live, staged)
    return {name: three for name, three in rows.items() if any(one != three[0] for one in three)}


def _beside(fields: list[str], *versions: Values) -> dict[str, list[Any]]:
    """The values of each field in several versions; null where there is no such version."""
    return {
        name: [one[place] if one is not None else None for one in versions]
        for place, name in enumerate(fields)
    }


def _all_new(
    cursor: Any, rows: StagedRows, layer: Layer | None, op: str | None, after: int, limit: int
) -> dict[str, Any]:
    """A page of rows that all become new features."""
    counts = {"insert": rows.count, "update": 0, "same": 0, "remove": 0, "conflict": 0}
    if op not in {None, "insert"}:
        return {"rows": [], "next": None, "counts": counts}
    key = key_name(rows, layer) if layer else rows.options.key
    column = next((column for name, column, _ in rows.fields if name == key), None)
    values = sql.SQL(", ").join(sql.Identifier("staged", column) for _, column, _ in rows.fields)
    names = {
        "staged": sql.Identifier("staging", rows.table),
        "number": sql.Identifier("fid" if layer is None else "row"),
        "key": sql.SQL("{}::text").format(sql.Identifier("staged", column)) if column else sql.SQL("NULL"),
        "staged_row": sql.SQL("ROW({})").format(values),
        "area_staged": _area(rows.family, "staged"),
    }
    run(cursor, statement("difference_new", names), {"after": after, "most": limit + 1})
    found = cursor.fetchall()
    fields = [name for name, _, _ in rows.fields]
    told = [
        {
            "fid": None,
            "row": number,
            "op": "insert",
            "key": value,
            "changes": _changes("insert", [], fields, None, list(given.values())),
            "area_before": None,
            "area_after": area,
            "place": place,
            "before": None,
            "conflict": None,
        }
        for number, value, given, area, place in found[:limit]
    ]
    return {"rows": told, "next": found[limit - 1][0] if len(found) > limit else None, "counts": counts}
