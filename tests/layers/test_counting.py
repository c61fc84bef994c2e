"""Counting what a question matches: told up to a number of rows and within a time, else left out."""

import pytest
from django.db import connection
from psycopg2 import sql

from layers.counting import counted, counted_in_time
from layers.limits import LIMITS_MS
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
    assert [counted(FEW, most) for most in (5, 4)] == [5, None]
    assert [counted_in_time(FEW, most) for most in (5, 4)] == [5, None]


def test_a_count_that_takes_long_is_given_up_and_the_transaction_goes_on(monkeypatch):
    monkeypatch.setitem(LIMITS_MS, "count", 50)
    before = limit()
    assert counted_in_time(ENDLESS, 10**10) is None
    monkeypatch.undo()
    assert (limit(), counted_in_time(FEW, 5), limit()) == (before, 5, before)
