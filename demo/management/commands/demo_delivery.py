"""`manage.py demo_delivery`: write a district's yearly survey as a folder, to try deliveries on."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from demo.delivery import change_some, survey, write_survey
from demo.management.commands.demo_city import SEED, seed_number
from demo.survey_faults import plant_faults
from demo.survey_profile import profile


class Command(JsonCommand):
    """`manage.py demo_delivery FOLDER [--year Y] [--faults] [--changed SHARE]`."""

    help = "write forty shapefiles (GBK, zone 38), tables and a raster, and the profile beside them"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path)
        parser.add_argument("--district", default="440304")
        parser.add_argument("--year", type=int, default=2025)
        parser.add_argument("--seed", type=seed_number, default=SEED)
        parser.add_argument("--faults", action="store_true", help="plant twelve faults")
        parser.add_argument(
            "--changed", type=float, default=0.0, help="share of land parcels changed since last year"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        """Write folder, profile and what was planted."""
        folder: Path = options["folder"]
        first = options["year"] - 1 if options["changed"] else options["year"]
        made = survey(options["district"], first, options["seed"])
        changed = change_some(made, options["changed"], options["year"]) if options["changed"] else {}
        if options["faults"]:
            plant_faults(made)
        write_survey(made, folder, options["seed"])
        beside = folder.with_name(f"{folder.name}-profile.json")
        beside.write_text(json.dumps(profile(), ensure_ascii=False, indent=1), encoding="utf-8")
        return {
            "folder": folder.name,
            "profile": beside.name,
            "files": len(made.frames) + len(made.tables) + 1,
            "planted": [vars(one) for one in made.planted],
            "changed": {name: sorted(keys) for name, keys in changed.items()},
        }
