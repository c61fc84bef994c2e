"""A reader with a cursor loses nothing, whatever order the writers commit in."""

import pytest
from django.db import connection, connections

from process.audit import record
from process.feeds import START, Cursor, read
from process.models import AuditRecord

# What is read ends where any transaction of the server is still open, another test's too.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.quiet]
TABLE = AuditRecord._meta.db_table


@pytest.fixture
def writer():
    """A second connection, with a transaction of its own."""
    other = connections.create_connection("default")
    other.set_autocommit(False)
    yield other
    other.close()


def write(wrapper, name):
    with wrapper.cursor() as cursor:
        cursor.execute(
            "INSERT INTO process_auditrecord (actor, action, object_type, object_name, facts)"
            " VALUES ('writer', 'work', '', %s, '{}')",
            [name],
        )


def names(rows):
    return [row["object_name"] for row in rows]


def test_what_commits_late_is_read_later_and_not_lost(writer):
    write(writer, "early, committed late")
    record("reader", "work", "", "late, committed early")
    assert read(TABLE, ["object_name"]) == []

    writer.commit()
    rows = read(TABLE, ["object_name"])
    assert names(rows) == ["early, committed late", "late, committed early"]


def test_a_cursor_passes_over_nothing_under_overlapping_writers(writer):
    got, place = [], START
    for turn in range(12):
        write(writer, f"slow {turn}")
        record("reader", "work", "", f"quick {turn}")
        for row in read(TABLE, ["object_name"], after=place, limit=3):
            got.append(row["object_name"])
            place = Cursor(row["xid"], row["id"])
        if turn % 3 == 2:
            writer.commit()
    writer.commit()
    while rows := read(TABLE, ["object_name"], after=place, limit=3):
        got += names(rows)
        place = Cursor(rows[-1]["xid"], rows[-1]["id"])
    assert sorted(got) == sorted(
        [f"slow {turn}" for turn in range(12)] + [f"quick {turn}" for turn in range(12)]
    )
    assert len(got) == len(set(got))


def test_what_is_taken_back_is_never_read(writer):
    write(writer, "never happened")
    writer.rollback()
    record("reader", "work", "", "happened")
    assert names(read(TABLE, ["object_name"])) == ["happened"]


def test_rows_of_one_transaction_come_in_the_order_written():
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for name in "abc":
            write(connection, name)
        cursor.execute("COMMIT")
    assert names(read(TABLE, ["object_name"])) == ["a", "b", "c"]
