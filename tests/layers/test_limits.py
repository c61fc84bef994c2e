"""Statement limits: each request has its own, none outlives it, and what takes too long says so."""

import pytest
from django.db import OperationalError, connection, transaction

from layers import limits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_connection():
    """A connection with limits goes with its test."""
    yield
    connection.close()


def shown(name="statement_timeout") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("kind", "limit"), limits.LIMITS_MS.items())
def test_a_request_has_the_limit_of_its_kind(kind, limit):
    with limits.during(kind):
        assert shown() in {f"{limit // 1_000}s", f"{limit // 60_000}min"}


def test_the_next_request_has_its_own_limit():
    for kind, told in (("identify", "2s"), ("stream", "1min"), ("web", "5s"), ("identify", "2s")):
        with limits.during(kind):
            assert shown() == told


def test_an_equal_limit_asks_the_database_nothing(django_assert_num_queries):
    with limits.during("tile"):
        shown()
    seen = []
    with connection.execute_wrapper(lambda run, text, *more: (seen.append(text), run(text, *more))[1]):
        with limits.during("web"):
            shown()
    assert seen == ["SHOW statement_timeout"]


def test_a_new_connection_waits_for_no_lock_and_sleeps_in_no_transaction():
    connection.close()
    with limits.during("web"):
        assert (shown("lock_timeout"), shown("idle_in_transaction_session_timeout")) == ("5s", "1min")


def test_a_connection_of_no_request_has_no_limit_of_ours():
    connection.close()
    before = shown()
    with limits.during("identify"):
        pass
    connection.close()
    assert shown() == before


def test_a_connection_that_died_is_replaced_with_its_limit():
    with limits.during("web"):
        shown()
    connection.connection.close()
    with limits.during("identify"):
        assert shown() == "2s"


def test_a_refused_transaction_leaves_the_limit_as_it_was():
    with limits.during("stream"):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            shown()
            raise ZeroDivisionError
        assert shown() == "1min"


def test_a_block_has_a_limit_inside_another_and_gives_it_back():
    with limits.during("stream"):
        with limits.at_most("count"):
            assert shown() == "1s"
        assert shown() == "1min"
        with transaction.atomic():
            with limits.at_most("count"):
                assert shown() == "1s"
            assert shown() == "1min"


def slow():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(9)")


def test_what_takes_too_long_is_cancelled_and_the_transaction_around_it_lives(monkeypatch):
    monkeypatch.setitem(limits.LIMITS_MS, "count", 100)
    with transaction.atomic():
        assert limits.unless_too_long("count", slow) is None
        assert shown() != "100ms"
    with pytest.raises(OperationalError) as told, limits.at_most("count"):
        slow()
    assert told.value.__cause__.pgcode == limits.QUERY_CANCELED
