"""Seal what is not sealed yet, recompute the audit's hash chain, and name the first broken record."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from process import audit


class Command(JsonCommand):
    """`manage.py verify_audit [--known DIGEST]`."""

    help = "seal and verify the audit's hash chain; exit 1 names the first broken record"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--known", metavar="DIGEST", help="a digest noted earlier that must still be in the chain"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        audit.seal()
        found = audit.verify(options["known"])
        if found["broken"] is None:
            return {"status": "done", **found}
        broken = found["broken"]
        reason = f"{broken['why']}: record {broken['record']} at position {broken['position']}"
        return {"status": "failed", "code": "audit-broken", "reason": reason, **found}
