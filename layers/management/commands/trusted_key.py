"""Keys whose packages this instance takes: own, add, revoke, list."""

import getpass
from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JSON_OPTION, JsonCommand
from layers.models import TrustedKey
from layers.packages.keys import add_key, find_key, fingerprint, own_key, revoke_key


def facts(key: TrustedKey) -> dict[str, Any]:
    """What is told of a key."""
    return {
        "id": key.pk,
        "name": key.name,
        "public_key": key.public_key,
        "fingerprint": fingerprint(key.public_key),
        "own": key.own,
        "added_by": key.added_by,
        "added_at": key.added_at,
        "revoked_at": key.revoked_at,
    }


class Command(JsonCommand):
    """`manage.py trusted_key own|add|revoke|list`."""

    help = "the keys whose packages this instance takes; `own` is what other instances must trust"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("own", parents=[JSON_OPTION], help="this instance's public key, made on first use")
        add = verbs.add_parser("add", parents=[JSON_OPTION], help="trust another instance's public key")
        add.add_argument("--name", required=True, help="whose key it is")
        add.add_argument("public_key", metavar="BASE64")
        revoke = verbs.add_parser("revoke", parents=[JSON_OPTION], help="trust a key no more")
        revoke.add_argument("key", metavar="ID|NAME|FINGERPRINT")
        verbs.add_parser("list", parents=[JSON_OPTION], help="all keys")

    def run(self, **options: Any) -> dict[str, Any]:
        by = f"cli:{getpass.getuser()}"
        if options["verb"] == "own":
            return facts(own_key()[1])
        if options["verb"] == "add":
            return facts(add_key(options["name"], options["public_key"], by))
        if options["verb"] == "revoke":
            return facts(revoke_key(find_key(options["key"]), by))
        return {"keys": [facts(key) for key in TrustedKey.objects.all()]}

    def describe(self, result: dict[str, Any]) -> str:
        """A line per key."""
        if "keys" not in result:
            return super().describe(result)
        return "\n".join(
            f"{key['id']}\t{key['name']}\t{key['fingerprint']}\t"
            f"{'revoked' if key['revoked_at'] else 'own' if key['own'] else 'trusted'}"
            for key in result["keys"]
        )
