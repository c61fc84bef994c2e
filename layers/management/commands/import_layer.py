"""Import a file as a layer, or into one (contract.md, import_layer)."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.imports import import_now
from layers.exchange.options import CONFLICTS, MODES, ImportOptions
from process.models import Job


class Command(JsonCommand):
    """`manage.py import_layer PATH --layer NAME --title T --department CODE …`."""

    help = "import a file as a layer, or into one; exit 3 when a person has to decide something first"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path)
        parser.add_argument("--layer", required=True)
        parser.add_argument("--title", default="")
        parser.add_argument("--title-en", default="")
        parser.add_argument("--department", required=True)
        parser.add_argument("--theme", default="base")
        parser.add_argument("--source-crs")
        parser.add_argument("--encoding")
        parser.add_argument("--source-layer")
        parser.add_argument("--mode", default="create", choices=MODES)
        parser.add_argument("--key")
        parser.add_argument("--repair", action="store_true")
        parser.add_argument("--secrecy", default="", help="public, internal (as a rule) or sensitive")
        parser.add_argument("--valid-time", action="store_true")
        parser.add_argument("--valid-from")
        parser.add_argument("--accept", default="", help="outside-city,gcj02-suspected,count-jumped")
        parser.add_argument(
            "--conflicts",
            default="hold",
            choices=CONFLICTS,
            help="what becomes of corrections on the one map",
        )
        parser.add_argument("--most-changed", type=float, help="share of features; more than that is held")
        parser.add_argument("--label", dest="label_field", default="")
        parser.add_argument("--joins", default="", help="of a table without geometry: the layer it joins")
        parser.add_argument("--join-field", default="", help="the table's field that holds that layer's key")
        parser.add_argument("--control", action="store_true", help="positions of this layer are trusted")
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--public", action="store_true", help="grant view and query to the public")

    def run(self, **options: Any) -> dict[str, Any]:
        given = {name: options[name] for name in ImportOptions.__dataclass_fields__ if name in options}
        given["accept"] = tuple(code for code in options["accept"].split(",") if code)
        given["title"] = options["title"] or options["layer"]
        given["actor"] = f"cli:{getpass.getuser()}"
        return import_now(options["path"].resolve(), ImportOptions(**given), self._tell)

    def _tell(self, job: Job) -> None:
        self.stderr.write(f"{job.progress:6.1%} {job.step}")
