"""Reading features: the only text of a rights-bound relation, and what is asked of it.

Every answer about features, in every door, is a question to `relation()`. A relation shows the fields a scope
allows, under their internal names, at one moment of the two times.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from psycopg2 import sql

from layers import overlays, prepared
from layers.catalogue import FieldInfo, Join, LayerInfo
from layers.moments import Moment
from layers.rights import FieldScope, Scope

SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its bound values."""

    text: sql.Composable
    params: dict[str, Any] = field(default_factory=dict)

    def execute(self, cursor: Any) -> Any:
        """Run on a cursor of Django's default connection and return the cursor."""
        cursor.execute(self.text.as_string(connection.connection), self.params)
        return cursor


def table(layer: LayerInfo) -> sql.Identifier:
    """The table of a layer's current features."""
    return sql.Identifier("data", layer.name)


def history(layer: LayerInfo) -> sql.Identifier:
    """The table of a layer's superseded versions."""
    return sql.Identifier("history", layer.name)


@lru_cache(maxsize=64)
def load_sql(folder: Path, name: str) -> str:
    """The text of a statement kept in a file, without its comments."""
    text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def relation(scope: Scope, moment: Moment, *, where: sql.Composable | None = None) -> Statement:
    """The rows of a layer that a scope shows at a moment: a parenthesised SELECT.

    Columns: fid, version, rev_from, geom (storage CRS), valid_from and valid_to for layers with valid time, and one
    column per visible field under its internal name.

    Parameters
    ----------
    where
        A further condition on the stored row's fid and geom, put inside both halves so that their indexes serve
        it. It must not name a field: fields are judged outside, where hidden values are already gone.
    """
    params: dict[str, Any] = {}
    columns = sql.SQL(", ").join(_columns(scope, params))
    conditions = _conditions(scope, moment, params)
    if where is not None:
        conditions.append(where)
    published, halves = list(conditions), []
    if moment.changeset is not None:
        params |= {"changeset": moment.changeset, "changeset_layer": scope.layer.id}
        published.append(overlays.unchanged(scope.layer))
        changed = [*conditions, sql.SQL(overlays.CHANGED)]
        halves.append(_half(columns, overlays.changed_features(scope), changed))
    if moment.revision is None:
        halves.append(_half(columns, table(scope.layer), published))
    else:
        params["as_of"] = moment.revision
        halves.append(_half(columns, table(scope.layer), [*published, sql.SQL("rev_from <= %(as_of)s")]))
        past = [*published, sql.SQL("rev_from <= %(as_of)s AND rev_to > %(as_of)s")]
        halves.append(_half(columns, history(scope.layer), past))
    return Statement(sql.SQL("({})").format(sql.SQL(" UNION ALL ").join(halves)), params)


def _half(
    columns: sql.Composable, source: sql.Composable, conditions: Sequence[sql.Composable]
) -> sql.Composed:
    where = sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
    return sql.SQL("SELECT {} FROM {} WHERE {}").format(columns, source, where)


def _columns(scope: Scope, params: dict[str, Any]) -> list[sql.Composable]:
    names: list[sql.Composable] = [sql.Identifier(name) for name in ("fid", "version", "rev_from", "geom")]
    if scope.layer.valid_time:
        names += [sql.Identifier("valid_from"), sql.Identifier("valid_to")]
    return names + [_column(scope.layer, one, params) for one in scope.fields]


def _column(layer: LayerInfo, one: FieldScope, params: dict[str, Any]) -> sql.Composable:
    """A field, or NULL where the feature lies outside the areas in which the field is granted."""
    column = sql.Identifier(one.field.column)
    if one.areas is None:
        return column
    inside = within(layer, one.areas, f"area_{one.field.column}", params)
    return sql.SQL("CASE WHEN {} THEN {} END AS {}").format(inside, column, column)


def within(layer: LayerInfo, areas: tuple[bytes, ...], prefix: str, params: dict[str, Any]) -> sql.Composable:
    """The condition that a row of a layer lies within one of the areas (WKB, storage CRS).

    A row of a table lies where the feature lies that it joins, as it is now; a table that joins none lies nowhere.

    Parameters
    ----------
    prefix
        Of the names under which the areas are bound in `params`.
    """
    if not layer.is_table:
        return _intersects(areas, prefix, params)
    if layer.join is None:
        return sql.SQL("false")
    return sql.SQL("({} IN (SELECT {} FROM {} WHERE {}{}))").format(
        _as_text(layer.join.field),
        _as_text(layer.join.key),
        sql.Identifier("data", layer.join.layer),
        _intersects(areas, prefix, params),
        _valid_now(layer.join, params),
    )


def _as_text(info: FieldInfo) -> sql.Composable:
    """A code as text: one file's numbers are another file's words."""
    column = sql.Identifier(info.column)
    return column if info.type == "text" else sql.SQL("{}::text").format(column)


def _valid_now(join: Join, params: dict[str, Any]) -> sql.Composable:
    if not join.valid_time:
        return sql.SQL("")
    params["joined_today"] = Moment.today().valid_from
    return sql.SQL(
        " AND valid_from <= %(joined_today)s AND (valid_to IS NULL OR valid_to > %(joined_today)s)"
    )


def _intersects(areas: tuple[bytes, ...], prefix: str, params: dict[str, Any]) -> sql.Composable:
    if not areas:
        return sql.SQL("false")
    tests = []
    for number, area in enumerate(areas):
        name = f"{prefix}_{number}"
        params[name] = area
        tests.append(
            sql.SQL("ST_Intersects(geom, ST_GeomFromWKB({}, {}))").format(
                sql.Placeholder(name), sql.Literal(settings.ONEMAP_SRID)
            )
        )
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def _conditions(scope: Scope, moment: Moment, params: dict[str, Any]) -> list[sql.Composable]:
    conditions: list[sql.Composable] = []
    if scope.areas is not None:
        conditions.append(within(scope.layer, scope.areas, "area", params))
    if scope.layer.valid_time:
        # Half open: a period ends on the day the next begins.
        if moment.valid_to is not None:
            params["valid_end"] = moment.valid_to
            conditions.append(sql.SQL("valid_from <= %(valid_end)s"))
        if moment.valid_from is not None:
            params["valid_start"] = moment.valid_from
            conditions.append(sql.SQL("(valid_to IS NULL OR valid_to > %(valid_start)s)"))
    return conditions


def versions(scope: Scope, fid: int) -> Statement:
    """Every version of one feature that the scope shows, oldest first: what was, and by which change.

    Rows: version, rev_from, rev_to (null for the current one), time, author, reason of the change, properties,
    GeoJSON (longitude, latitude), and the valid period where the layer has one.
    """
    params: dict[str, Any] = {"fid": fid, "layer": scope.layer.id}
    columns = sql.SQL(", ").join(_columns(scope, params))
    everywhen = Moment()
    conditions = [*_conditions(scope, everywhen, params), sql.SQL("fid = %(fid)s")]
    current = _half(sql.SQL("{}, NULL::bigint AS rev_to").format(columns), table(scope.layer), conditions)
    past = _half(sql.SQL("{}, rev_to").format(columns), history(scope.layer), conditions)
    properties, names = json_properties(scope.fields, "r")
    period = sql.SQL("r.valid_from, r.valid_to" if scope.layer.valid_time else "NULL, NULL")
    text = sql.SQL(load_sql(SQL, "versions")).format(
        properties=properties, period=period, rows=sql.SQL("({} UNION ALL {})").format(past, current)
    )
    return Statement(text, {**params, **names})


def started_from(scope: Scope) -> Statement:
    """The versions from which changed features started (those named in `page`), as far as the scope shows them.

    The columns are those of `relation`; each period is told by its first day.
    """
    params: dict[str, Any] = {}
    columns = sql.SQL(", ").join(_columns(scope, params))
    conditions = [*_conditions(scope, Moment(), params), overlays.started(scope.layer)]
    halves = [_half(columns, source, conditions) for source in (table(scope.layer), history(scope.layer))]
    return Statement(sql.SQL("({})").format(sql.SQL(" UNION ALL ").join(halves)), params)


def drafted(scope: Scope, changeset: int) -> Statement:
    """Of `relation` with a changeset, the rows alone that the changeset puts in: as far as the scope shows them."""
    params: dict[str, Any] = {"changeset": changeset, "changeset_layer": scope.layer.id}
    columns = sql.SQL(", ").join(_columns(scope, params))
    conditions = [*_conditions(scope, Moment(), params), sql.SQL(overlays.CHANGED)]
    half = _half(columns, overlays.changed_features(scope), conditions)
    return Statement(sql.SQL("({})").format(half), params)


def keys_within(
    cursor: Any, layer: LayerInfo, areas: tuple[bytes, ...], keys: Sequence[str]
) -> frozenset[str]:
    """Of the keys that rows of a table may join, those of features within the areas."""
    if layer.join is None:
        return frozenset()
    params: dict[str, Any] = {"keys": list(keys)}
    key = _as_text(layer.join.key)
    text = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%(keys)s::text[]) AND {}{}").format(
        key,
        sql.Identifier("data", layer.join.layer),
        key,
        _intersects(areas, "area", params),
        _valid_now(layer.join, params),
    )
    cursor.execute(text.as_string(connection.connection), params)
    return frozenset(row[0] for row in cursor.fetchall())


def key_of(scope: Scope, fid: int, moment: Moment) -> tuple[bool, str | None]:
    """Whether a feature exists for the scope, and its key as text; no key where that field is hidden."""
    inner = relation(scope, moment, where=sql.SQL("fid = %(fid)s"))
    key = next((one.field for one in scope.fields if one.field.name == scope.layer.key_field), None)
    column = sql.SQL("NULL") if key is None else sql.SQL("{}::text").format(sql.Identifier("r", key.column))
    text = sql.SQL("SELECT {} FROM {} AS r LIMIT 1").format(column, inner.text)
    found = rows(Statement(text, {**inner.params, "fid": fid}))
    return bool(found), found[0][0] if found else None


def joined_rows(scope: Scope, key: str, limit: int) -> list[tuple[int, int, dict[str, Any]]]:
    """The rows of a table that join a key: fid, version, properties; none where the join's field is hidden.

    One row more than `limit` comes if there are more.
    """
    join = scope.layer.join
    if join is None or join.field.name not in {one.field.name for one in scope.fields}:
        return []
    inner = relation(scope, Moment.today())
    properties, names = json_properties(scope.fields, "r")
    text = sql.SQL(
        "SELECT r.fid, r.version, ({})::text FROM {} AS r WHERE {} = %(join_key)s ORDER BY r.fid LIMIT {}"
    ).format(properties, inner.text, _as_text(join.field), sql.Literal(limit + 1))
    found = rows(Statement(text, {**inner.params, **names, "join_key": key}))
    return [(fid, version, json.loads(values)) for fid, version, values in found]


def rows(statement: Statement, *, often: bool = False) -> list[tuple[Any, ...]]:
    """All rows of a statement that only reads.

    A connection that died since this thread's last request is replaced and asked again. Django would ask every
    connection first whether it lives, which costs a small tile a tenth of its time.

    Parameters
    ----------
    often
        The same text comes again and again: it is planned once (layers.prepared).
    """
    connection.ensure_connection()
    # Django's own mark, on the connection itself: `connection` is a proxy that would keep it to itself.
    vars(connections[DEFAULT_DB_ALIAS])["health_check_done"] = True
    try:
        return _fetched(statement, often)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
    return _fetched(statement, often)


def _fetched(statement: Statement, often: bool) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        if often:
            prepared.execute(cursor, statement.text.as_string(connection.connection), statement.params)
        else:
            statement.execute(cursor)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def streamed(statement: Statement, size: int = 500) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in lists of `size`, through a server-side cursor: flat memory however long the answer.

    The first list is read before the first `next()` returns, so a failing statement is still a refusal with its
    own status; the transaction ends when the iterator does.
    """
    connection.ensure_connection()
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        statement.execute(cursor)
        while batch := cursor.fetchmany(size):
            yield batch


def primed(stream: Iterator[Any]) -> Iterator[Any]:
    """The same stream with its first item already fetched, so that failures come before the answer begins."""
    try:
        first = next(stream)
    except StopIteration:
        return iter(())
    return itertools.chain([first], stream)


def revision_of(layer: LayerInfo) -> int:
    """The layer's revision now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT revision FROM layers_layer WHERE id = %s", [layer.id])
        return int(cursor.fetchone()[0])


def layer_states(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What moves with the layers' features, by layer id.

    Revision, time of the last change, feature count, extent (storage CRS), first tile levels, stamp of the overviews
    (None without).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, revision, changed_at, feature_count, extent, first_levels::text,"
            " (SELECT stamp FROM layers_overview WHERE layer_id = id) AS overview"
            " FROM layers_layer WHERE id = ANY(%s)",
            [list(ids)],
        )
        names = [column.name for column in cursor.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def json_properties(
    fields: Sequence[FieldScope], alias: str, prefix: str = "name"
) -> tuple[sql.Composable, dict[str, str]]:
    """An SQL expression for the JSON object of a row's visible fields, and its bound values (the names)."""
    params = {f"{prefix}_{number}": one.field.name for number, one in enumerate(fields)}
    # A function takes 100 arguments: larger objects are put together from pieces of 49 pairs.
    pieces = []
    for start in range(0, max(len(fields), 1), 49):
        pairs = [
            sql.SQL("{}, {}").format(
                sql.SQL("%({})s::text").format(sql.SQL(f"{prefix}_{start + number}")),
                sql.Identifier(alias, one.field.column),
            )
            for number, one in enumerate(fields[start : start + 49])
        ]
        build = "json_build_object({})" if len(fields) <= 49 else "jsonb_build_object({})"
        pieces.append(sql.SQL(build).format(sql.SQL(", ").join(pairs)))
    return sql.SQL("({})").format(sql.SQL(" || ").join(pieces)), params


DIVISION_LAYERS = ("division_district", "division_street", "division_community")


def division_area(code: str, srid: int) -> bytes | None:
    """The area of the division of this code, as WKB in `srid`; None if no division layer has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT layer.name, field."column" FROM layers_layer AS layer'
            " JOIN layers_field AS field ON field.layer_id = layer.id"
            " WHERE layer.name = ANY(%s) AND field.name = 'code' AND layer.deleted_at IS NULL",
            [list(DIVISION_LAYERS)],
        )
        for name, column in cursor.fetchall():
            text = sql.SQL(
                "SELECT ST_AsBinary(ST_Transform(ST_Union(geom), {})) FROM {} WHERE {} = %s"
            ).format(sql.Literal(srid), sql.Identifier("data", name), sql.Identifier(column))
            cursor.execute(text.as_string(connection.connection), [code])
            found = cursor.fetchone()[0]
            if found is not None:
                return bytes(found)
    return None
