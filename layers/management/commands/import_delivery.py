"""Import many layers, tables and rasters as one, all or nothing (contract.md, import_delivery)."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.deliveries.flow import import_delivery_now
from layers.exchange.options import BadOption
from layers.models import DeliveryProfile
from process.models import Job
from spatial import strictjson


class Command(JsonCommand):
    """`manage.py import_delivery PATH --profile P …`."""

    help = "import a delivery as one; exit 3 when a person has to decide something first"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path)
        parser.add_argument("--profile", required=True, help="the code of a kept profile, or a JSON file")
        parser.add_argument("--department", default="", help="who delivers; the profile's as a rule")
        parser.add_argument("--name", default="")
        parser.add_argument("--valid-from")
        parser.add_argument("--encoding")
        parser.add_argument("--source-crs")
        parser.add_argument("--accept", default="", help="outside-city,gcj02-suspected,count-jumped")
        parser.add_argument("--conflicts", choices=("keep", "take"))
        parser.add_argument("--repair", action="store_true", default=None)
        parser.add_argument("--dry-run", action="store_true")

    def run(self, **options: Any) -> dict[str, Any]:
        document, profile = _profile(options["profile"])
        answers = {
            name: options[name]
            for name in ("valid_from", "encoding", "source_crs", "conflicts", "repair")
            if options[name] is not None
        }
        answers["accept"] = [code for code in options["accept"].split(",") if code]
        path = options["path"].resolve()
        return import_delivery_now(
            path,
            document,
            name=options["name"] or path.name,
            department=options["department"] or document.get("department", ""),
            actor=f"cli:{getpass.getuser()}",
            answers=answers,
            profile=profile,
            dry_run=options["dry_run"],
            on_progress=self._tell,
        )

    def _tell(self, job: Job) -> None:
        self.stderr.write(f"{job.progress:6.1%} {job.step}")


def _profile(named: str) -> tuple[dict[str, Any], DeliveryProfile | None]:
    """The document of a kept profile, or of a file."""
    kept = DeliveryProfile.objects.filter(code=named).first()
    if kept is not None:
        return kept.document, kept
    path = Path(named)
    if not path.is_file():
        raise BadOption(option="--profile", reason=f"{path.name} is neither a kept profile nor a file")
    document = strictjson.loads(path.read_bytes())
    if not isinstance(document, dict):
        raise BadOption(option="--profile", reason="a JSON object")
    return document, None
