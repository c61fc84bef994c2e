"""Verify a package: its signature, its signer, every file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.packages import fingerprint, verify_package


class Command(JsonCommand):
    """`manage.py package_verify PATH`."""

    help = "compare everything in a package with what was signed"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--untrusted", action="store_true", help="also when the signer is unknown or revoked"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        found = verify_package(options["path"].resolve(), untrusted_too=options["untrusted"])
        files = found.manifest.files
        return {
            "name": found.manifest.name,
            "signer": found.signer,
            "fingerprint": fingerprint(found.public_key),
            "public_key": found.public_key,
            "trusted": found.trusted,
            "files": len(files),
            "bytes": sum(one.size for one in files),
            "facts": {
                name: value for name, value in found.manifest.facts.items() if name not in {"code_lists"}
            },
        }
