"""Publish a style that comes with the platform for a layer."""

import getpass
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers import catalogue
from layers.actions import restyle
from layers.styles import seeds


class Command(JsonCommand):
    """`manage.py apply_style --layer NAME --seed STYLE`: a new version; the one before can be published again."""

    help = f"draw a layer in a style that comes with the platform: {', '.join(seeds.names())}"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--layer", required=True)
        parser.add_argument("--seed", required=True)
        parser.add_argument("--field", default="", help="the layer's field that classes go by")

    def run(self, **options: Any) -> dict[str, Any]:
        found = catalogue.current().layer(options["layer"])
        document = seeds.seed(options["seed"], options["field"])
        by = f"cli:{getpass.getuser()}"
        draft = restyle.write_draft(found, restyle.DEFAULT, document, by=by, reason=options["seed"])
        restyle.publish(found, restyle.DEFAULT, draft.number, by=by)
        return {"layer": found.name, "seed": options["seed"], "version": draft.number}
