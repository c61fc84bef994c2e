"""The audit keeps what it was told, and shows when somebody changed it."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, connections

from accounts.principals import PUBLIC, caller_address
from process import audit
from process.models import AuditRecord, AuditSeal

# What is read ends where any transaction of the server is still open, another test's too.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.quiet]


@pytest.fixture
def chain():
    """Five sealed records."""
    for number in range(5):
        audit.record("user:lin", "grant.create", "layer", f"layer_{number}", actions=["view"], area=1.5)
    assert audit.seal() == 5
    return list(AuditRecord.objects.order_by("id"))


def tamper(statement, *parameters):
    """What only the owner of the database can do: switch the triggers off, and write."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET session_replication_role = origin")


def test_a_record_says_who_what_and_from_where():
    token = caller_address.set("10.1.2.3")
    audit.record(PUBLIC, "export", "layer", "building", rows=3, name="深圳市")
    caller_address.reset(token)
    row = AuditRecord.objects.get()
    assert (row.actor, row.action, row.object_type, row.object_name) == (
        "public",
        "export",
        "layer",
        "building",
    )
    assert (row.facts, row.address) == ({"rows": 3, "name": "深圳市"}, "10.1.2.3")
    assert row.xid > 0 and row.at is not None


@pytest.mark.parametrize("table", ["process_auditrecord", "process_auditseal"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove_what_was_written(chain, table, verb):
    column = "actor" if table == "process_auditrecord" else "previous"
    with pytest.raises(ProgrammingError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(verb.format(table, column, column))
    assert audit.verify()["broken"] is None


def test_the_database_refuses_to_empty_the_audit(chain):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE process_auditrecord ENABLE TRIGGER never_emptied")
    try:
        with pytest.raises(ProgrammingError, match="append-only"), connection.cursor() as cursor:
            cursor.execute("TRUNCATE process_auditrecord CASCADE")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE process_auditrecord DISABLE TRIGGER never_emptied")
    assert AuditRecord.objects.count() == 5


def test_an_untouched_chain_is_right(chain):
    found = audit.verify()
    assert (found["sealed"], found["broken"]) == (5, None)
    assert found["head"] == AuditSeal.objects.get(position=5).digest


@pytest.mark.parametrize(
    "column",
    ["actor = 'wang'", "facts = '{}'", "at = at - interval '1 day'", "object_name = 'x'", "action = 'y'"],
)
def test_a_changed_record_is_named(chain, column):
    tamper(f"UPDATE process_auditrecord SET {column} WHERE id = %s", chain[2].pk)
    assert audit.verify()["broken"] == {"position": 3, "record": chain[2].pk, "why": "record changed"}


def test_a_removed_record_is_named(chain):
    tamper("DELETE FROM process_auditrecord WHERE id = %s", chain[1].pk)
    assert audit.verify()["broken"] == {"position": 2, "record": chain[1].pk, "why": "record missing"}


def test_a_record_removed_with_its_link_is_noticed(chain):
    tamper("DELETE FROM process_auditseal WHERE position = 3")
    tamper("DELETE FROM process_auditrecord WHERE id = %s", chain[2].pk)
    assert audit.verify()["broken"]["why"] == "link missing"


def test_a_chain_computed_anew_from_a_forged_record_misses_the_digest_noted_before(chain):
    noted = audit.verify()["head"]
    tamper("UPDATE process_auditrecord SET actor = 'wang' WHERE id = %s", chain[4].pk)
    tamper("DELETE FROM process_auditseal WHERE position = 5")
    audit.seal()
    assert audit.verify()["broken"] is None
    assert audit.verify(noted)["broken"]["why"] == "known digest missing"


def test_sealing_waits_for_transactions_that_are_still_open(chain):
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute(
            "INSERT INTO process_auditrecord (actor, action, object_type, object_name, facts)"
            " VALUES ('slow', 'work', '', '', '{}')"
        )
    audit.record("quick", "work")
    assert audit.seal() == 0
    other.commit()
    other.close()
    assert audit.seal() == 2
    assert list(AuditSeal.objects.order_by("position").values_list("record__actor", flat=True))[5:] == [
        "slow",
        "quick",
    ]


def test_many_records_are_sealed_in_batches(monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 3)
    for number in range(8):
        audit.record("user:lin", "login", "user", str(number))
    assert audit.seal() == 8
    assert audit.verify()["sealed"] == 8


def test_the_command_seals_verifies_and_says_so(capsys):
    audit.record("user:lin", "login")
    call_command("verify_audit", "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["status"], told["sealed"], told["broken"]) == ("done", 1, None)


def test_the_command_names_the_broken_record_and_fails(chain, capsys):
    tamper("UPDATE process_auditrecord SET actor = 'wang' WHERE id = %s", chain[0].pk)
    with pytest.raises(CommandError, match="record changed") as failure:
        call_command("verify_audit", "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert failure.value.returncode == 1
    assert (told["status"], told["code"], told["broken"]["record"]) == ("failed", "audit-broken", chain[0].pk)
