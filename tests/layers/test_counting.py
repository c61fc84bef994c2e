"""Counting what a question matches: told up to a number of rows and within a time, else left out."""

import pytest
from django.db import connection
from psycopg2 import sql

from layers.counting import counted
from layers.queries import Statement

pytestmark = pytest.mark.django_db

FEW = Statement(sql.SQL("(SELECT 1 FROM generate_series(1, 5))"))
ENDLESS = Statement(
    sql.SQL("(SELECT 1 FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b)")
)


def limit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


def test_few_rows_are_counted_and_many_are_not():
    assert [counted(FEW, most, within_ms=60_000) for most in (5, 4)] == [5, None]
    assert counted(FEW, 5) == 5


def test_a_count_that_takes_long_is_given_up_and_the_transaction_goes_on():
    before = limit()
    assert counted(ENDLESS, 10**10, within_ms=50) is None
    assert (limit(), counted(FEW, 5, within_ms=60_000), limit()) == (before, 5, before)
