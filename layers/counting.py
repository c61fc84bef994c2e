"""How many rows a question has, told only where it costs little."""

from psycopg2 import sql

from layers import limits, queries
from layers.queries import Statement


def counted(statement: Statement, limit: int) -> int | None:
    """How many rows a statement has; None if more than `limit` (counting stops there)."""
    text = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} AS all_rows LIMIT {}) AS some_rows").format(
        statement.text, sql.Literal(limit + 1)
    )
    found = int(queries.rows(Statement(text, statement.params))[0][0])
    return found if found <= limit else None


def counted_in_time(statement: Statement, limit: int) -> int | None:
    """The same; None, too, where counting takes longer than a count may (layers.limits)."""
    return limits.unless_too_long("count", lambda: counted(statement, limit))
