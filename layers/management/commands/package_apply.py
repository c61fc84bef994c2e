"""Apply a package: verified, then imported as a delivery, all or nothing."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.packing import apply_package
from process.models import Job


class Command(JsonCommand):
    """`manage.py package_apply PATH`."""

    help = "import a package of a trusted signer as a delivery; exit 3 when a person has to decide something"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path)
        parser.add_argument("--department", default="", help="who delivers; the package's own as a rule")
        parser.add_argument("--accept", default="", help="outside-city,count-jumped, …")
        parser.add_argument("--dry-run", action="store_true")

    def run(self, **options: Any) -> dict[str, Any]:
        return apply_package(
            options["path"].resolve(),
            actor=f"cli:{getpass.getuser()}",
            department=options["department"],
            accept=[code for code in options["accept"].split(",") if code],
            dry_run=options["dry_run"],
            on_progress=self._tell,
        )

    def _tell(self, job: Job) -> None:
        self.stderr.write(f"{job.progress:6.1%} {job.step}")
