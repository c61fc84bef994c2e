"""Write a package: of an accepted delivery, or of layers as they are now."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.packing import copy_package, write_layers
from layers.packages import fingerprint, verify_package


class Command(JsonCommand):
    """`manage.py package_write DELIVERY_ID|--layers a,b --to PATH`."""

    help = "write the signed package of an accepted delivery, or of layers as they are now"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("delivery", nargs="?", type=int, metavar="DELIVERY_ID")
        what.add_argument("--layers", default="", metavar="a,b")
        parser.add_argument("--to", required=True, type=Path, metavar="PATH")
        parser.add_argument("--name", default="", help="what the package of layers is called")

    def run(self, **options: Any) -> dict[str, Any]:
        by, target = f"cli:{getpass.getuser()}", options["to"].resolve()
        if options["delivery"] is not None:
            path = copy_package(options["delivery"], target, actor=by)
        else:
            names = [name for name in options["layers"].split(",") if name]
            path = write_layers(names, target, name=options["name"] or ", ".join(names), actor=by)
        written = verify_package(path)
        return {
            "path": str(path),
            "name": written.manifest.name,
            "files": len(written.manifest.files),
            "bytes": path.stat().st_size,
            "fingerprint": fingerprint(written.public_key),
            "layers": [part["layer"] for part in written.manifest.document["parts"]],
        }
