"""Inserts, updates and deletes of features as one change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection, transaction
from psycopg2 import sql
from shapely.geometry.base import BaseGeometry

from layers import queries
from layers.actions.errors import TooManyEdits
from layers.actions.locks import join_editors
from layers.actions.prepare import Batch, Stored, prepare
from layers.catalogue import LayerInfo
from layers.rights import Scope
from layers.tables import COLUMN_TYPES, column_list
from process import audit

MOST_EDITS = 2_000


@dataclass(frozen=True, slots=True)
class FeatureEdit:
    """One edit of one feature.

    Attributes
    ----------
    op
        'insert', 'update' or 'delete'.
    version
        The version the editor was looking at; required for update and delete.
    geometry
        In the storage CRS, x before y; None leaves it as it is.
    properties
        By field name; an update changes only those named.
    period
        For layers with valid time: the `valid_from` of the period meant; None is the one valid today. For an
        insert, the first day.
    since
        For layers with valid time: the edit is a succession from this day on (the old period ends there); None
        corrects the period itself.
    """

    op: str
    fid: int | None = None
    version: int | None = None
    geometry: BaseGeometry | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    period: date | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What an accepted change is: its revision, and the fids in the order of the edits."""

    revision: int
    at: Any
    fids: tuple[int, ...]
    versions: tuple[int, ...]


def edit_features(
    scope: Scope,
    edits: Sequence[FeatureEdit],
    *,
    author: str,
    reason: str,
    kind: str = "edit",
    address: str = "",
) -> Written:
    """Apply all the edits, or none, as one change of the layer.

    On return the features, their history, the layer's revision and the change feed agree; they become visible
    together, when the transaction commits.

    Parameters
    ----------
    scope
        The editor's, compiled for `Action.EDIT`: its fields and area bound what may be changed.

    Raises
    ------
    EditConflict
        A feature has moved on since the editor read it; nothing is changed.
    FeatureMissing, BadEdit, OutsideArea, VersionRequired, LayerBusy, TooManyEdits
        Each with what, where and what to do; nothing is changed.
    """
    if not 1 <= len(edits) <= MOST_EDITS:
        raise TooManyEdits(most=MOST_EDITS)
    with transaction.atomic(), connection.cursor() as cursor:
        join_editors(cursor, scope.layer)
        before = lock_features(
            cursor, scope.layer, sorted({edit.fid for edit in edits if edit.fid is not None})
        )
        new_fids = reserve_fids(cursor, scope.layer, sum(edit.op == "insert" for edit in edits))
        # Rules, boxes: everything slow is above the writing.
        batch = prepare(scope, edits, before, new_fids, joined_keys(cursor, scope, edits, before))
        audit.record(author, "layer.edit", "layer", scope.layer.name, reason=reason, edits=len(edits))
        revision, at = write_batch(cursor, scope.layer, batch, kind=kind, author=author, reason=reason)
    return Written(revision, at, batch.fids, batch.versions)


def lock_features(cursor: Any, layer: LayerInfo, fids: Sequence[int]) -> dict[int, list[Stored]]:
    """Lock the rows of these features, in fid order, and read them: a list of periods by fid."""
    return read_features(cursor, layer, fids, lock=True)


def read_features(
    cursor: Any, layer: LayerInfo, fids: Sequence[int], *, lock: bool = False
) -> dict[int, list[Stored]]:
    """The rows of these features as they are on the one map: a list of periods by fid."""
    if not fids:
        return {}
    period = "valid_from, valid_to" if layer.valid_time else "NULL::date, NULL::date"
    columns = [one.column for one in layer.fields]
    listed = sql.SQL(", {}").format(column_list(columns)) if columns else sql.SQL("")
    order = sql.SQL("fid, valid_from" if layer.valid_time else "fid")
    text = sql.SQL(
        "SELECT fid, version, rev_from, ST_AsBinary(geom), {}{} FROM {} WHERE fid = ANY(%s) ORDER BY {}{}"
    ).format(sql.SQL(period), listed, queries.table(layer), order, sql.SQL(" FOR UPDATE" if lock else ""))
    cursor.execute(text.as_string(connection.connection), [list(fids)])
    found: dict[int, list[Stored]] = {}
    for fid, version, revision, geometry, start, end, *values in cursor.fetchall():
        shape = bytes(geometry) if geometry is not None else None
        stored = Stored(fid, version, shape, start, end, dict(zip(columns, values, strict=True)), revision)
        found.setdefault(fid, []).append(stored)
    return found


def joined_keys(
    cursor: Any, scope: Scope, edits: Sequence[FeatureEdit], before: Mapping[int, Sequence[Stored]]
) -> frozenset[str]:
    """Of the codes that rows of a table have or would get, those of features within the editor's areas."""
    join = scope.layer.join
    if scope.areas is None or join is None:
        return frozenset()
    codes = [one.values[join.field.column] for periods in before.values() for one in periods]
    codes += [edit.properties.get(join.field.name) for edit in edits]
    return queries.keys_within(
        cursor, scope.layer, scope.areas, [str(code) for code in codes if code is not None]
    )


def reserve_fids(cursor: Any, layer: LayerInfo, count: int) -> list[int]:
    """New feature ids; never used before, never again."""
    if not count:
        return []
    name = f'data."{layer.name}"'
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'fid')) FROM generate_series(1, %s)", [name, count]
    )
    return [row[0] for row in cursor.fetchall()]


def write_batch(
    cursor: Any, layer: LayerInfo, batch: Batch, *, kind: str, author: str, reason: str
) -> tuple[int, Any]:
    """Run the one writing statement; return the new revision and its time."""
    statement = writing(layer, batch, kind=kind, author=author, reason=reason)
    revision, at = statement.execute(cursor).fetchone()
    return int(revision), at


def writing(layer: LayerInfo, batch: Batch, *, kind: str, author: str, reason: str) -> queries.Statement:
    """The one writing statement of a batch; its first part locks the layer's row, its row is revision and time."""
    columns = [one.column for one in layer.fields]
    periods = ["valid_from", "valid_to"] if layer.valid_time else []
    own = ["fid", "version", "rev_from", "geom", *periods, *columns]
    values = [*periods, *columns]
    same_period = "old.valid_from = given.period" if layer.valid_time else "true"
    record = [("op", "text"), ("fid", "bigint"), ("version", "integer"), ("period", "date"), ("geom", "text")]
    record += [(name, "date") for name in periods] + [
        (one.column, COLUMN_TYPES[one.type]) for one in layer.fields
    ]
    given = [sql.SQL("given.geom::geometry"), *(sql.Identifier("given", name) for name in values)]
    text = sql.SQL(queries.load_sql(queries.SQL, "write_rows")).format(
        table=queries.table(layer),
        history=queries.history(layer),
        columns=column_list(own),
        old_columns=sql.SQL(", ").join(sql.Identifier("old", name) for name in own),
        same_period=sql.SQL(same_period),
        value_columns=column_list(["geom", *values]),
        values=sql.SQL(", ").join(given),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), value)
            for name, value in zip(["geom", *values], given, strict=True)
        ),
        record=sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in record
        ),
    )
    params = {
        "layer": layer.id,
        "kind": kind,
        "author": author,
        "reason": reason,
        "rows": json.dumps(batch.rows, default=str),
        "touched": json.dumps(batch.touched),
        "delta": batch.inserted - batch.deleted,
        "extent": batch.extent,
        "inserted": batch.inserted,
        "updated": batch.updated,
        "deleted": batch.deleted,
    }
    return queries.Statement(text, params)
