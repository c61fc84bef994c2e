"""Statements planned once, and connections that died between two questions."""

import pytest
from django.db import DataError, connection, transaction
from psycopg2 import sql

from layers import prepared, queries
from layers.queries import Statement

SUM = sql.SQL("SELECT %(one)s::int + %(two)s::int + %(one)s::int, '100 %%'")


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def fresh(transactional_db):
    """A connection that has prepared nothing; the next test gets a new one too."""
    connection.close()
    yield
    connection.close()


def test_a_text_is_prepared_once_and_takes_its_values_each_time(fresh):
    found = [queries.rows(Statement(SUM, {"one": n, "two": 10, "unused": 3}), often=True) for n in (1, 2, 3)]

    assert found == [[(12, "100 %")], [(14, "100 %")], [(16, "100 %")]]
    assert len(kept()) == 1


def test_a_connection_keeps_few_texts(fresh):
    for number in range(prepared.MOST + 3):
        text = sql.SQL("SELECT {}").format(sql.Literal(number))
        assert queries.rows(Statement(text), often=True) == [(number,)]

    assert len(kept()) == 3


def test_what_is_prepared_outlives_a_transaction_that_is_taken_back(fresh):
    with transaction.atomic():
        queries.rows(Statement(SUM, {"one": 1, "two": 1}), often=True)
        transaction.set_rollback(True)

    assert queries.rows(Statement(SUM, {"one": 2, "two": 2}), often=True) == [(6, "100 %")]


@pytest.mark.parametrize("often", [True, False])
def test_a_connection_that_was_cut_is_replaced_without_a_word(fresh, often):
    assert queries.rows(Statement(SUM, {"one": 1, "two": 1}), often=often)
    cut = connection.connection.get_backend_pid()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [cut])
    other.close()

    assert queries.rows(Statement(SUM, {"one": 2, "two": 1}), often=often) == [(5, "100 %")]
    assert connection.connection.get_backend_pid() != cut


def test_a_statement_that_fails_is_not_asked_twice(fresh):
    with pytest.raises(DataError):
        queries.rows(Statement(sql.SQL("SELECT 1 / %(one)s"), {"one": 0}), often=True)

    assert queries.rows(Statement(sql.SQL("SELECT 1"))) == [(1,)]
