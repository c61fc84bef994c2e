"""Take a layer away, bring it back within thirty days, or index fields to sort by."""

import getpass
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JSON_OPTION, JsonCommand
from layers import catalogue
from layers.actions import delete_layer, restore_layer
from layers.catalogue import LayerNotFound
from layers.exchange import indexing
from layers.models import Layer
from process.models import State
from process.runner import run_or_wait


class Command(JsonCommand):
    """`manage.py layer delete|restore NAME`, `manage.py layer index NAME FIELD…`."""

    help = "delete a layer (kept for thirty days), restore it, or index fields to sort by"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, about in (("delete", "hide it from every door"), ("restore", "bring a deleted one back")):
            verbs.add_parser(verb, help=about, parents=[JSON_OPTION]).add_argument("layer")

        index = verbs.add_parser("index", help="let clients sort by fields", parents=[JSON_OPTION])
        index.add_argument("layer")
        index.add_argument("fields", nargs="+")

    def run(self, **options: Any) -> dict[str, Any]:
        actor = f"cli:{getpass.getuser()}"
        if options["verb"] == "restore":
            return {"layer": restore_layer(options["layer"], by=actor).name}
        if options["verb"] == "index":
            return self._index(options["layer"], options["fields"], actor)
        layer = Layer.objects.filter(name=options["layer"], deleted_at=None).first()
        if layer is None:
            raise LayerNotFound(layer=options["layer"])
        delete_layer(layer, by=actor)
        return {"layer": layer.name, "kept_days": 30}

    def _index(self, name: str, fields: list[str], actor: str) -> dict[str, Any]:
        job = run_or_wait(indexing.ask(catalogue.current().layer(name), fields, by=actor))
        if job.state != State.DONE:
            return {"layer": name, "status": "failed", "reason": job.reason or job.state}
        return dict(job.result or {})
