"""Take a layer away, bring it back within thirty days, or mark it as a control for positions."""

import getpass
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JSON_OPTION, JsonCommand
from layers.actions import delete_layer, restore_layer
from layers.catalogue import LayerNotFound
from layers.models import Layer


class Command(JsonCommand):
    """`manage.py layer delete|restore NAME`."""

    help = "delete a layer (kept for thirty days) or restore it"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, about in (("delete", "hide it from every door"), ("restore", "bring a deleted one back")):
            verbs.add_parser(verb, help=about, parents=[JSON_OPTION]).add_argument("layer")

    def run(self, **options: Any) -> dict[str, Any]:
        actor = f"cli:{getpass.getuser()}"
        if options["verb"] == "restore":
            return {"layer": restore_layer(options["layer"], by=actor).name}
        layer = Layer.objects.filter(name=options["layer"], deleted_at=None).first()
        if layer is None:
            raise LayerNotFound(layer=options["layer"])
        delete_layer(layer, by=actor)
        return {"layer": layer.name, "kept_days": 30}
