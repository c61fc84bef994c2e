"""Items and changes of a collection: assembled in SQL, streamed, flat in memory."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg2 import sql

from layers import queries
from layers.counting import counted_in_time
from layers.filters import Condition, filtered, sorting
from layers.ogc import axes
from layers.ogc.features_api.parameters import ItemsQuery
from layers.queries import Statement
from layers.rights import FieldScope, Scope
from spatial.crs import Crs

COUNT_LIMIT = 200_000
EVERYTHING = Condition()


def feature_text(
    scope: Scope, crs: Crs, alias: str, fields: Sequence[FieldScope] | None = None
) -> tuple[sql.Composable, dict[str, str]]:
    """SQL for the GeoJSON text of one row of a relation, and its bound values.

    Parameters
    ----------
    fields
        Those of the scope's fields to show; all of them if not given.
    """
    properties, params = queries.json_properties(scope.fields if fields is None else fields, alias)
    time = sql.SQL("''")
    if scope.layer.valid_time:
        time = sql.SQL(
            """',"time":{{"interval":["' || {row}.valid_from || '","' """
            """|| coalesce({row}.valid_to::text, '..') || '"]}}'"""
        ).format(row=sql.Identifier(alias))
    text = sql.SQL(
        """'{{"type":"Feature","id":' || {row}.fid || ',"geometry":' || {geometry} || ',"properties":' """
        """|| {properties}::text || ',"version":' || {row}.version || {time} || '}}'"""
    ).format(
        row=sql.Identifier(alias),
        geometry=sql.SQL("'null'")
        if scope.layer.is_table
        else axes.geometry_out(crs, sql.Identifier(alias, "geom")),
        properties=properties,
        time=time,
    )
    return text, params


def matching(scope: Scope, query: ItemsQuery) -> Statement:
    """The relation of features that match a query (without paging): `SELECT * FROM … AS r WHERE …`, parenthesised."""
    where = None
    params: dict[str, Any] = {}
    # Rows without a geometry match any box (OGC 17-069r4, fc-bbox-response).
    if query.box is not None and not scope.layer.is_table:
        where = sql.SQL("ST_Intersects(geom, ST_GeomFromWKB(%(box)s, {}))").format(sql.Literal(axes.STORAGE))
        params["box"] = query.box
    elif query.nowhere and not scope.layer.is_table:
        where = sql.SQL("false")
    found = filtered(scope, query.moment, query.condition, where=where)
    return Statement(found.text, {**found.params, **params})


def page_statement(scope: Scope, query: ItemsQuery) -> Statement:
    """Rows (fid, valid_from or null, values sorted by …, feature text) of one page and one row more, in order."""
    timed = scope.layer.valid_time
    found = sorting.page(matching(scope, query), query.sort, query.after, query.limit + 1, valid_time=timed)
    text, names = feature_text(scope, query.crs, "p", query.shown)
    values = [
        sql.SQL("{}, ").format(sql.Identifier("p", f"sort_{number}"))
        for number in range(sorting.fields_in(query.sort))
    ]
    statement = sql.SQL("SELECT p.fid, {}, {}{} FROM {} AS p ORDER BY {} LIMIT {}").format(
        sql.SQL("p.valid_from") if timed else sql.SQL("NULL"),
        sql.SQL("").join(values),
        text,
        found.text,
        sorting.ordering(query.sort, "p", valid_time=timed),
        sql.Literal(query.limit + 1),
    )
    return Statement(statement, {**found.params, **names})


def number_matched(scope: Scope, query: ItemsQuery, feature_count: int) -> int | None:
    """How many features match: from the catalogue where that is the answer, else counted up to limits."""
    plain = query.box is None and not query.nowhere and query.condition == EVERYTHING
    now = query.moment.revision is None and query.moment.changeset is None
    if plain and scope.areas is None and now and not scope.layer.valid_time:
        return feature_count
    return counted_in_time(matching(scope, query), COUNT_LIMIT)


def collection_chunks(
    pages: Iterator[list[tuple[Any, ...]]],
    query: ItemsQuery,
    matched: Callable[[], int | None] | None,
    finish: Any,
) -> Iterator[str]:
    """The text of a FeatureCollection in pieces.

    Parameters
    ----------
    matched
        Answers how many features match; asked only after the features, and only if they are not all on this page:
        counting takes as long as finding them. None: the number is not told.
    finish
        `finish(last)` is called when the features are written, with the key (fid, valid_from, values sorted by …)
        of the last one if there are more, else None; it returns the links.
    """
    stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    yield f'{{"type":"FeatureCollection","timeStamp":"{stamp}","features":['
    written, last, more = 0, None, False
    for rows in pages:
        taken = rows[: query.limit - written]
        more = more or len(taken) < len(rows)
        if taken:
            yield ("," if written else "") + ",".join([row[-1] for row in taken])
            last = taken[-1][:-1]
            written += len(taken)
    links = json.dumps(finish(last if more else None), ensure_ascii=False)
    number = _number(written, more or query.after is not None, matched)
    yield f'],{number}"numberReturned":{written},"links":{links}}}'


def _number(written: int, partial: bool, matched: Callable[[], int | None] | None) -> str:
    """The member `numberMatched` with its comma, where the number is known."""
    if matched is None:
        return ""
    found = matched() if partial else written
    return f'"numberMatched":{found},' if found is not None else ""


def one_feature(scope: Scope, fid: int, query: ItemsQuery) -> tuple[str, int] | None:
    """One feature's GeoJSON text and its version; None if it does not exist for this scope."""
    inner = queries.relation(scope, query.moment, where=sql.SQL("fid = %(fid)s"))
    text, names = feature_text(scope, query.crs, "r", query.shown)
    order = sql.SQL(" ORDER BY r.valid_from DESC") if scope.layer.valid_time else sql.SQL("")
    statement = sql.SQL("SELECT {}, r.version FROM {} AS r{} LIMIT 1").format(text, inner.text, order)
    found = queries.rows(Statement(statement, {**inner.params, **names, "fid": fid}))
    return (found[0][0], found[0][1]) if found else None
