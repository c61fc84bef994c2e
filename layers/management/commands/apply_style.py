"""`manage.py apply_style`: publish a style that comes with the platform for a layer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from layers import catalogue
from layers.actions import restyle
from layers.styles import seeds
from spatial.errors import OnemapError


class Command(BaseCommand):
    """Write the style as a new version and publish it; the one before can be published again."""

    help = f"Draw a layer in a style that comes with the platform: {', '.join(seeds.names())}"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--layer", required=True)
        parser.add_argument("--seed", required=True)
        parser.add_argument("--field", default="", help="the layer's field that classes go by")

    def handle(self, *args: Any, layer: str, seed: str, field: str, **options: Any) -> None:
        try:
            found = catalogue.current().layer(layer)
            document = seeds.seed(seed, field)
            draft = restyle.write_draft(found, restyle.DEFAULT, document, by="operator", reason=seed)
            restyle.publish(found, restyle.DEFAULT, draft.number, by="operator")
        except OnemapError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{layer}: {seed}, version {draft.number}")
