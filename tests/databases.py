"""Databases that tests make and remove beside their own, as a login that is no superuser."""

import time

from psycopg2 import errors, sql

# The server ends an autovacuum worker for a plain DROP or CREATE, and waits for five seconds of its own;
# DROP … WITH (FORCE) asks for the right to end it, which only a superuser has.
PATIENCE = 60.0
OURS = """
    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = %s AND pid <> pg_backend_pid() AND usename = current_user AND backend_type = 'client backend'
"""


def create(linked, name, template="template1"):
    """Create a database anew over a connection to another one; a database of that name is removed first."""
    drop(linked, name)
    _change(linked, [template], "CREATE DATABASE {} TEMPLATE {}", name, template)


def drop(linked, name):
    """Remove a database, if there is one, with all sessions of this login in it."""
    _change(linked, [name], "DROP DATABASE IF EXISTS {}", name)


def _change(linked, emptied, text, *names):
    """Run a statement that wants databases without sessions, once they are."""
    linked.autocommit = True
    end = time.monotonic() + PATIENCE
    with linked.cursor() as cursor:
        while True:
            for name in emptied:
                cursor.execute(OURS, [name])
            try:
                return cursor.execute(sql.SQL(text).format(*map(sql.Identifier, names)))
            except errors.ObjectInUse:
                if time.monotonic() > end:
                    raise
