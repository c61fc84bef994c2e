"""Import the roster: departments, posts, areas and people (contract.md, import_people)."""

import csv
import getpass
import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from accounts.people.importing import import_roster
from accounts.people.roster import BadRoster, template


class Command(JsonCommand):
    """`manage.py import_people FILE.xlsx [--dry-run]`."""

    help = "import departments, posts, areas and people from a workbook; leavers are closed"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "path", type=Path, help="the workbook; with --template, where to write an empty one"
        )
        parser.add_argument("--template", action="store_true", help="write the template instead")
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--accept", default="", help="leavers-many")
        parser.add_argument(
            "--passwords", type=Path, help="write the first passwords of new accounts here (0600)"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        path: Path = options["path"]
        if options["template"]:
            path.write_bytes(template())
            return {"status": "done", "template": path.name}
        if not path.is_file():
            raise BadRoster(reason=f"{path.name} is no file", reason_zh=f"{path.name} 不是文件")
        accepted = [code for code in options["accept"].split(",") if code]
        report, passwords = import_roster(
            path.read_bytes(), by=f"cli:{getpass.getuser()}", dry_run=options["dry_run"], accept=accepted
        )
        if options["passwords"] and passwords:
            _write(options["passwords"], passwords)
        return report | {"new_accounts": len(passwords)}


def _write(path: Path, passwords: dict[str, str]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["username", "password"])
        writer.writerows(passwords.items())
