"""How long a statement may take: by the kind of the request it answers, kept by the database itself.

A connection carries the limit of the request it serves. The next request sets its own before its first statement,
and only where it differs, so that a limit neither costs a question nor outlives its request. Source: PostgreSQL's
documentation, "Client Connection Defaults".
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg2 import Error as DriverError

# Milliseconds of one statement. What takes longer is answered 503 with Retry-After (SQLSTATE 57014).
LIMITS_MS = {
    "web": 5_000,  # pages, documents, one feature
    "tile": 5_000,
    "identify": 2_000,
    "count": 1_000,  # a number that is left out when it is not to be had in time
    "stream": 60_000,  # items, changes, downloads: one statement, or one fetch of a cursor
    "write": 30_000,  # edits and whatever else changes something
}
LOCK_S = 5  # a request waits no longer for another's lock
IDLE_S = 60  # a transaction whose reader fell asleep is ended, its connection with it

QUERY_CANCELED = "57014"
Found = TypeVar("Found")

_asked: ContextVar[str | None] = ContextVar("statement_limit", default=None)
# What psycopg2's connections have now. Each is one thread's.
_held: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


@contextmanager
def during(kind: str) -> Iterator[None]:
    """Limit the statements of a request of this kind, one of LIMITS_MS.

    A transaction that is open already is its opener's to limit. A stream goes on under the limit after this ends:
    its connection serves nothing else until it is read.
    """
    token = _asked.set(kind)
    try:
        linked = connection.connection
        if linked is not None and not connection.in_atomic_block and _held.get(linked) != LIMITS_MS[kind]:
            _set(linked, LIMITS_MS[kind])
        yield
    finally:
        _asked.reset(token)


def _set(linked: Any, limit: int) -> None:
    """Set the limit of an idle connection; one that died is left for the first statement to replace."""
    try:
        with linked.cursor() as cursor:
            cursor.execute("SET statement_timeout = %s", [limit])
    except DriverError:
        connection.close()
    else:
        _held[linked] = limit


@receiver(connection_created)
def _limit_new(connection: Any, **_: Any) -> None:
    """Give a connection made during a request all its limits; those of jobs and commands keep the role's."""
    kind = _asked.get()
    if kind is None:
        return
    with connection.connection.cursor() as cursor:
        cursor.execute(
            "SET statement_timeout = %s; SET lock_timeout = %s; SET idle_in_transaction_session_timeout = %s",
            [LIMITS_MS[kind], LOCK_S * 1_000, IDLE_S * 1_000],
        )
    _held[connection.connection] = LIMITS_MS[kind]


@contextmanager
def at_most(kind: str) -> Iterator[None]:
    """Limit the statements of a block, inside whatever request or transaction it is part of."""
    swap = (
        "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"  # to its end
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(swap, [f"{LIMITS_MS[kind]}ms"])
        before = cursor.fetchone()[0]
        yield
        cursor.execute(swap, [before])


def unless_too_long(kind: str, question: Callable[[], Found]) -> Found | None:
    """The answer to a question of the database, or None where it takes longer than this kind may."""
    try:
        with at_most(kind):
            return question()
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != QUERY_CANCELED:
            raise
    return None
