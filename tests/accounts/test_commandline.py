"""What every command does with what comes of it."""

import io
import json

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from accounts.actions import NoSuchDepartment
from accounts.commandline import JsonCommand


def outcome(result):
    """Run a command that returns or raises `result`; give its JSON and its exit code."""

    class Command(JsonCommand):
        def run(self, **options):
            if isinstance(result, BaseException):
                raise result
            return result

    out = io.StringIO()
    try:
        Command(stdout=out).handle(json=True)
        code = 0
    except CommandError as error:
        code = error.returncode
    return json.loads(out.getvalue().splitlines()[-1]), code


@pytest.mark.parametrize(
    ("result", "status", "error_code", "exit_code"),
    [
        ({"rows": 3}, "done", None, 0),
        ({"status": "held", "held": []}, "held", None, 3),
        ({"status": "failed", "code": "x", "reason": "y"}, "failed", "x", 1),
        (NoSuchDepartment(department="x"), "failed", "no-such-department", 1),
        (OperationalError("password=canary"), "failed", "database-away", 1),
        (ValueError("canary"), "failed", "internal-error", 1),
        (KeyboardInterrupt(), "failed", "interrupted", 130),
    ],
)
def test_every_outcome_is_one_object_and_an_exit_code(result, status, error_code, exit_code):
    told, code = outcome(result)
    assert (told["status"], told.get("code"), code) == (status, error_code, exit_code)
    assert "canary" not in json.dumps(told)
