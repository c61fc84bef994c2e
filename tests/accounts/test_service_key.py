"""`manage.py service_key`, as scripts use it."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import ServiceKey
from accounts.principals import BadCredentials, principal_of_key
from process.children import database_url
from process.models import AuditRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    def run(*words):
        call_command("service_key", *words)
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_create_list_revoke(run, transport):
    made = run("create", "--department", "transport", "--name", "ogc", "--json")
    assert (made["status"], made["department"], made["name"]) == ("done", "transport", "ogc")
    assert principal_of_key(made["key"]).name == "key:transport/ogc"

    listed = run("list", "--json")["keys"]
    assert [one["prefix"] for one in listed] == [made["key"][:12]]
    assert made["key"] not in json.dumps(listed)

    ended = run("revoke", made["key"][:12], "--json")
    assert ended["revoked_at"] is not None
    with pytest.raises(BadCredentials):
        principal_of_key(made["key"])
    assert list(AuditRecord.objects.order_by("id").values_list("action", flat=True))[:2] == [
        "key.create",
        "key.revoke",
    ]


def test_the_last_day_is_included(run, transport):
    made = run("create", "--department", "transport", "--name", "n", "--until", "2099-12-31", "--json")
    assert made["expires_at"].startswith("2099-12-31T23:59:59")


def test_json_is_accepted_before_the_subcommand_too(run, transport):
    assert run("--json", "list")["keys"] == []


def test_names_need_not_be_unique_but_a_prefix_must(run, transport):
    keys = [run("create", "--department", "transport", "--name", "same", "--json") for _ in range(2)]
    assert keys[0]["key"] != keys[1]["key"]
    assert run("revoke", str(keys[0]["id"]), "--json")["id"] == keys[0]["id"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["create", "--department", "nowhere", "--name", "n"], "no-such-department"),
        (["create", "--department", "transport", "--name", "n", "--until", "2001-01-01"], "past-expiry"),
        (["revoke", "999999"], "no-such-key"),
        (["revoke", "omk_"], "no-such-key"),
    ],
)
def test_a_refusal_is_told_in_json_and_by_the_exit_code(capsys, transport, words, code):
    with pytest.raises(CommandError) as failure:
        call_command("service_key", *words, "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["status"], told["code"], failure.value.returncode) == ("failed", code, 1)
    assert told["reason"] == str(failure.value)
    assert ServiceKey.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (["list", "--json"], 0, None),
        (["create", "--json"], 2, "usage"),
        (["create", "--department", "d", "--name", "n", "--until", "soon", "--json"], 2, "usage"),
        (["--json"], 2, "usage"),
        (["revoke", "7", "--json"], 1, "no-such-key"),
    ],
)
def test_from_the_shell_the_last_line_is_one_object_and_the_reason_one_line(
    monkeypatch, words, exit_code, code
):
    monkeypatch.setenv("DATABASE_URL", database_url())
    command = [sys.executable, "manage.py", "service_key", *words]
    ran = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, told.get("code")) == (exit_code, code)
    assert len(ran.stderr.splitlines()) == (1 if exit_code else 0)
