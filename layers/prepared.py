"""Statements that come again and again, planned once on each connection.

Planning a small tile's statement takes a fifth of its time. PostgreSQL plans a prepared statement anew by itself
when a table under it changes.
"""

import weakref
from collections.abc import Mapping
from typing import Any

from django.db import connection

MOST = 50  # statements kept on one connection


class _Places(dict[str, str]):
    """$1, $2, … for the names of bound values, in the order in which a text asks for them."""

    def __missing__(self, name: str) -> str:
        self[name] = f"${len(self) + 1}"
        return self[name]


# By psycopg2's connection: text to the statement that runs it. Each connection is one thread's.
_known: weakref.WeakKeyDictionary[Any, dict[str, str]] = weakref.WeakKeyDictionary()


def execute(cursor: Any, text: str, params: Mapping[str, Any]) -> None:
    """Run a statement with bound values `%(name)s`, prepared on its first use.

    Parameters
    ----------
    text
        Must not hold values of one request; a connection keeps few texts.
    """
    known = _known.setdefault(connection.connection, {})
    if text not in known:
        if len(known) >= MOST:
            cursor.execute("DEALLOCATE ALL")
            known.clear()
        name, places = f"onemap_{len(known)}", _Places()
        cursor.execute(f"PREPARE {name} AS {text % places}")
        given = ", ".join(f"%({one})s" for one in places)
        known[text] = f"EXECUTE {name} ({given})" if given else f"EXECUTE {name}"
    cursor.execute(known[text], params)
