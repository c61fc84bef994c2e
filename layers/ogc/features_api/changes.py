"""`/changes?since=`: what a copy of a layer must do to be like the layer now, within the caller's scope.

The answer is the net difference between what the scope showed at `since` and what it shows at the newest revision:
a feature that moved out of the caller's area is a delete for that caller, and says nothing of where it went.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection
from psycopg2 import sql

from layers import queries
from layers.moments import Moment
from layers.ogc.features_api.items import feature_text
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import Crs


def changes_statement(scope: Scope, crs: Crs, since: int, until: int, after: int, limit: int) -> Statement:
    """Rows (fid, op, revision, JSON list of the feature's periods or null), by fid, one more than `limit`."""
    touched_where = sql.SQL("fid IN (SELECT fid FROM page)")
    before = queries.relation(scope, Moment(revision=since), where=touched_where)
    now = queries.relation(scope, Moment(revision=until), where=touched_where)
    text, names = feature_text(scope, crs, "n")
    order = sql.SQL(" ORDER BY n.valid_from") if scope.layer.valid_time else sql.SQL("")
    # Both relations bind `as_of`; the older one gets a name of its own.
    older = before.text.as_string(_plain()).replace("%(as_of)s", "%(since)s")
    statement = sql.SQL(
        """
        WITH touched AS (
            SELECT fid, rev_from AS revision FROM {table} WHERE rev_from > %(since)s AND rev_from <= %(until)s
            UNION ALL
            SELECT fid, CASE WHEN rev_to <= %(until)s THEN rev_to ELSE rev_from END FROM {history}
             WHERE rev_to > %(since)s AND (rev_to <= %(until)s OR rev_from > %(since)s AND rev_from <= %(until)s)
        ), page AS MATERIALIZED (
            SELECT fid, max(revision) AS revision FROM touched WHERE fid > %(after)s
             GROUP BY fid ORDER BY fid LIMIT %(limit)s
        ), older AS MATERIALIZED (SELECT DISTINCT o.fid FROM {older} AS o),
        newer AS MATERIALIZED (SELECT n.fid, json_agg(({text})::json{order}) AS features FROM {now} AS n GROUP BY n.fid)
        SELECT page.fid,
               CASE WHEN newer.fid IS NULL THEN CASE WHEN older.fid IS NULL THEN NULL ELSE 'delete' END
                    WHEN older.fid IS NULL THEN 'insert' ELSE 'update' END,
               page.revision, newer.features::text
          FROM page LEFT JOIN older USING (fid) LEFT JOIN newer USING (fid) ORDER BY page.fid
        """
    ).format(
        table=queries.table(scope.layer),
        history=queries.history(scope.layer),
        older=sql.SQL(older),
        now=now.text,
        text=text,
        order=order,
    )
    bound = {"since": since, "until": until, "as_of": until, "after": after, "limit": limit + 1}
    return Statement(statement, {**before.params, **now.params, **names, **bound})


def _plain() -> Any:
    connection.ensure_connection()
    return connection.connection


def changes_chunks(
    pages: Iterator[list[tuple[Any, ...]]], scope: Scope, since: int, until: int, limit: int, finish: Any
) -> Iterator[str]:
    """The text of a changes document; `finish(last fid or None)` gives the links and the next address."""
    yield f'{{"layer":{json.dumps(scope.layer.name)},"since":{since},"revision":{until},"features":['
    read, written, last, more = 0, 0, 0, False
    for rows in pages:
        texts = []
        for fid, op, revision, features in rows:
            if read == limit:
                more = True
                break
            read, last = read + 1, fid
            if op is None:  # outside the caller's scope before and now
                continue
            body = _body(scope, features)
            texts.append(f'{{"fid":{fid},"op":"{op}","revision":{revision}{body}}}')
        if texts:
            yield ("," if written else "") + ",".join(texts)
            written += len(texts)
    links, following = finish(last if more else None)
    ending = json.dumps({"next": following, "links": links}, ensure_ascii=False)
    yield f'],"numberReturned":{written},{ending[1:]}'


def _body(scope: Scope, features: str | None) -> str:
    if features is None:
        return ',"feature":null'
    if scope.layer.valid_time:
        return f',"periods":{features}'
    # A list of one: an ordinary layer has one row per fid at any revision.
    return f',"feature":{features.strip()[1:-1]}'
