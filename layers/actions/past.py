"""Bringing back what was: a feature as of a revision, or everything one change touched."""

from typing import Any

from django.db import connection, transaction
from psycopg2 import sql

from layers import queries
from layers.actions.edit import Written
from layers.actions.errors import NothingThere, UndoConflict, WholeLayerOnly
from layers.actions.locks import take_alone
from layers.catalogue import LayerInfo
from layers.rights import Scope
from layers.tables import column_list
from process import audit


def restore_feature(scope: Scope, fid: int, revision: int, *, author: str, reason: str) -> Written:
    """Make a feature what it was at `revision`, as a new change; a deleted one comes back under its own fid.

    Raises
    ------
    NothingThere
        It did not exist then, or is no different now.
    WholeLayerOnly
        It has fields, or lies or lay where, the scope does not reach.
    """
    chosen = sql.SQL("SELECT {}::bigint AS fid").format(sql.Literal(fid))
    return _set_back(scope, chosen, revision, kind="restore", author=author, reason=reason)


def undo_change(scope: Scope, revision: int, *, author: str, reason: str) -> Written:
    """Undo one change of the layer, as a new change.

    Raises
    ------
    UndoConflict
        A later change touched one of its features.
    NothingThere
        The change touched nothing, or does not exist.
    WholeLayerOnly
        It touched fields or places that the scope does not reach.
    """
    layer = scope.layer
    chosen = sql.SQL(
        "SELECT fid FROM {} WHERE rev_from = {r} UNION SELECT fid FROM {} WHERE rev_to = {r} OR rev_from = {r}"
    ).format(queries.table(layer), queries.history(layer), r=sql.Literal(revision))
    return _set_back(scope, chosen, revision - 1, kind="undo", author=author, reason=reason, undone=revision)


def _set_back(
    scope: Scope,
    chosen: sql.Composable,
    at: int,
    *,
    kind: str,
    author: str,
    reason: str,
    undone: int | None = None,
) -> Written:
    layer = scope.layer
    with transaction.atomic(), connection.cursor() as cursor:
        take_alone(cursor, layer.id)
        if undone is not None:
            _refuse_if_moved_on(cursor, layer, chosen, undone)
        elif not _known_at(cursor, layer, chosen, at):
            # To a caller of one area, what never was and what lies elsewhere are the same.
            raise (
                NothingThere(layer=layer.name, revision=at)
                if scope.areas is None
                else WholeLayerOnly(layer=layer.name)
            )
        _refuse_beyond(cursor, scope, chosen, at)
        audit.record(author, f"layer.{kind}", "layer", layer.name, reason=reason, revision=at)
        columns = ["fid", "version", "rev_from", "geom"] + (
            ["valid_from", "valid_to"] if layer.valid_time else []
        )
        columns += [one.column for one in layer.fields]
        text = sql.SQL(queries.load_sql(queries.SQL, "set_back")).format(
            table=queries.table(layer),
            history=queries.history(layer),
            chosen=chosen,
            columns=column_list(columns),
            kept=column_list([name for name in columns if name not in {"version", "rev_from"}]),
        )
        cursor.execute(
            text.as_string(connection.connection),
            {"layer": layer.id, "at": at, "kind": kind, "author": author, "reason": reason},
        )
        revision, when, fids = cursor.fetchone()
        if not fids:
            raise NothingThere(layer=layer.name, revision=at)
    return Written(int(revision), when, tuple(fids), ())


def _known_at(cursor: Any, layer: LayerInfo, chosen: sql.Composable, at: int) -> bool:
    """Whether any of the chosen features was there at a revision."""
    text = sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM {table} WHERE fid IN ({chosen}) AND rev_from <= {at})"
        " OR EXISTS (SELECT 1 FROM {history} WHERE fid IN ({chosen}) AND rev_from <= {at} AND rev_to > {at})"
    ).format(table=queries.table(layer), history=queries.history(layer), chosen=chosen, at=sql.Literal(at))
    cursor.execute(text.as_string(connection.connection))
    return bool(cursor.fetchone()[0])


def _refuse_beyond(cursor: Any, scope: Scope, chosen: sql.Composable, at: int) -> None:
    """Refuse when a version to be replaced, or to be brought back, is not wholly the scope's."""
    layer = scope.layer
    if len(scope.fields) < len(layer.fields):
        raise WholeLayerOnly(layer=layer.name)
    params: dict[str, Any] = {}
    # A field that is granted in some areas only bounds what may be replaced as the scope's own areas do.
    limits = dict.fromkeys((scope.areas, *(one.areas for one in scope.fields)))
    inside = [
        queries.within(layer, areas, f"area_{number}", params)
        for number, areas in enumerate(limits)
        if areas is not None
    ]
    if not inside:
        return
    columns = ["geom", *([layer.join.field.column] if layer.join else [])]
    text = sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM (SELECT {columns} FROM {table} WHERE fid IN ({chosen}) AND rev_from > {at}"
        " UNION ALL SELECT {columns} FROM {history}"
        " WHERE fid IN ({chosen}) AND rev_from <= {at} AND rev_to > {at})"
        " AS meant WHERE ({inside}) IS NOT TRUE)"
    ).format(
        columns=column_list(columns),
        table=queries.table(layer),
        history=queries.history(layer),
        chosen=chosen,
        at=sql.Literal(at),
        inside=sql.SQL(" AND ").join(inside),
    )
    cursor.execute(text.as_string(connection.connection), params)
    if cursor.fetchone()[0]:
        raise WholeLayerOnly(layer=layer.name)


def _refuse_if_moved_on(cursor: Any, layer: LayerInfo, chosen: sql.Composable, undone: int) -> None:
    text = sql.SQL(
        """
        WITH chosen AS ({chosen}), later AS (
            SELECT fid FROM {table} JOIN chosen USING (fid) WHERE rev_from > {undone}
            UNION SELECT fid FROM {history} JOIN chosen USING (fid) WHERE rev_to > {undone}
        ) SELECT count(*), min(fid) FROM later
        """
    ).format(
        chosen=chosen, table=queries.table(layer), history=queries.history(layer), undone=sql.Literal(undone)
    )
    cursor.execute(text.as_string(connection.connection))
    count, fid = cursor.fetchone()
    if count:
        raise UndoConflict(layer=layer.name, revision=undone, count=count, fid=fid)
