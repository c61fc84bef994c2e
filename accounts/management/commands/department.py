"""Rename a department, or merge one into another."""

import getpass
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JSON_OPTION, JsonCommand
from accounts.people.merging import merge_departments, rename_department


class Command(JsonCommand):
    """`manage.py department rename CODE --name-zh … | merge CODE --into CODE [--on DATE]`."""

    help = "rename a department or merge one into another; rights, layers and history follow"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        rename = verbs.add_parser("rename", parents=[JSON_OPTION])
        rename.add_argument("code")
        rename.add_argument("--name-zh", required=True)
        rename.add_argument("--name-en", default="")
        merge = verbs.add_parser("merge", parents=[JSON_OPTION])
        merge.add_argument("code")
        merge.add_argument("--into", required=True)
        merge.add_argument("--on", type=date.fromisoformat, default=date.today())  # noqa: DTZ011 - a local day

    def run(self, **options: Any) -> dict[str, Any]:
        by = f"cli:{getpass.getuser()}"
        if options["verb"] == "rename":
            found = rename_department(options["code"], options["name_zh"], options["name_en"], by=by)
        else:
            found = merge_departments(options["code"], options["into"], options["on"], by=by)
        return {"department": found.code, "name_zh": found.name_zh}
