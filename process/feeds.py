"""Feeds of tables that many transactions write at once, read so that nothing is ever missed.

A row's id is taken when it is written, its transaction may commit much later: a reader that remembers the
highest id misses what commits behind it. So each row carries its transaction's number (`xid8`), and only
rows of transactions below the oldest one still open are read, in the order (xid, id). Nothing can appear
behind a cursor placed there.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from psycopg2 import sql

from accounts.statements import statement


class Cursor(NamedTuple):
    """A place in a feed: everything up to and including this row has been read."""

    xid: int
    id: int


START = Cursor(0, 0)


def read(
    table: str, columns: Sequence[str], *, after: Cursor = START, limit: int = 1000
) -> list[dict[str, Any]]:
    """The next rows of a feed, in feed order.

    Parameters
    ----------
    table
        A table with columns `xid` (xid8, the writing transaction's) and `id`, indexed together.
    columns
        Further columns wanted.
    after
        The place reached so far.
    limit
        Rows at most.

    Returns
    -------
    list of dict
        `xid` and `id` as numbers, and the columns. Rows of transactions newer than the oldest open one wait
        for a later reading.
    """
    names = ["id", *(name for name in columns if name not in {"id", "xid"})]
    query = sql.SQL(statement("process", "read_feed")).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(sql.Identifier("feed", name) for name in names),
    )
    connection.ensure_connection()
    text = query.as_string(connection.connection)
    with connection.cursor() as cursor:
        cursor.execute(text, {"xid": str(after.xid), "id": after.id, "limit": limit})
        return [dict(zip(["xid", *names], [int(row[0]), *row[1:]], strict=True)) for row in cursor.fetchall()]
