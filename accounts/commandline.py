"""Management commands as scripts use them: `--json` anywhere, one line, an exit code that tells."""

import argparse
import json
import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError

from spatial.errors import OnemapError

log = logging.getLogger("onemap.commands")

# Give it to every subcommand: `subcommands.add_parser("list", parents=[JSON_OPTION])`.
JSON_OPTION = CommandParser(add_help=False)
JSON_OPTION.add_argument(
    "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object, last"
)

DONE, FAILED, USAGE, HELD, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = {"done": DONE, "held": HELD}


def failure(error: BaseException) -> dict[str, Any]:
    """The result that stands for an exception; texts of libraries and of the database are kept to the log."""
    if isinstance(error, OnemapError):
        return {"status": "failed", "code": error.code, "reason": error.text("en"), "facts": error.facts}
    if isinstance(error, CommandError):
        return {"status": "failed", "code": "usage", "reason": str(error), "facts": {}}
    if isinstance(error, KeyboardInterrupt):
        return {"status": "failed", "code": "interrupted", "reason": "interrupted", "facts": {}}
    if isinstance(error, OperationalError | InterfaceError):
        return {
            "status": "failed",
            "code": "database-away",
            "reason": "the database does not answer",
            "facts": {},
        }
    log.error("fault in a command", exc_info=error)
    reason = f"a fault of the platform ({type(error).__name__}); the log says more"
    return {"status": "failed", "code": "internal-error", "reason": reason, "facts": {}}


class JsonCommand(BaseCommand):
    """A command that does one thing and returns what came of it.

    Subclasses implement `run` and, where they take arguments, `add_arguments` (calling this one first).
    Refusals become `{"status": "failed", "code", "reason", "facts"}` and exit code 1. With `--json` the
    result is the last line of stdout, also when held or failed; progress belongs on `self.stderr`.
    """

    # Of all checks the site's own alone: no command works with unsafe libraries, and none waits for the rest.
    requires_system_checks: list[str] = ["onemap"]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser whose errors are raised, so that they too can be answered in JSON."""
        from_command_line = vars(self).pop("_called_from_command_line", None)
        try:
            return super().create_parser(prog_name, subcommand, **kwargs)
        finally:
            if from_command_line is not None:
                vars(self)["_called_from_command_line"] = from_command_line

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--json`."""
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object, last")

    def run_from_argv(self, argv: list[str]) -> None:
        """Run, answering a misuse (exit 2) as any other failure."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            if "--json" in argv:
                self.write_json(failure(error))
            self.stderr.write(str(error))
            raise SystemExit(USAGE) from None

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, print the result, and leave with the exit code it calls for."""
        try:
            result = self.run(**options)
        except (Exception, KeyboardInterrupt) as error:
            result = failure(error)
        result = {"status": "done", **result}
        if options["json"]:
            self.write_json(result)
        elif result["status"] == "done":
            self.stdout.write(self.describe(result))
        code = INTERRUPTED if result.get("code") == "interrupted" else self.exit_code(result)
        if code:
            raise CommandError(self.reason(result), returncode=code)

    def run(self, **options: Any) -> dict[str, Any]:
        """Do the work; return facts (JSON), with `status` unless it is 'done'."""
        raise NotImplementedError

    def exit_code(self, result: dict[str, Any]) -> int:
        """The exit code of a result: 0 done, 3 held, else 1."""
        return EXIT_CODES.get(result["status"], FAILED)

    def reason(self, result: dict[str, Any]) -> str:
        """One line for stderr when the exit code is not 0."""
        return str(result.get("reason") or result["status"])

    def describe(self, result: dict[str, Any]) -> str:
        """The result for a person's eyes, where `--json` was not asked for."""
        return "\n".join(f"{name}: {value}" for name, value in result.items())

    def write_json(self, result: dict[str, Any]) -> None:
        """Print one object on one line, and see to it that it is out before anything else is."""
        self.stdout.write(json.dumps(result, ensure_ascii=False, cls=DjangoJSONEncoder))
        self.stdout.flush()
