"""Keys for programs: create (the key is shown once), revoke, list."""

from datetime import date, datetime, time
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.actions import create_key, department_of, find_key, revoke_key
from accounts.commandline import JSON_OPTION, JsonCommand
from accounts.models import ServiceKey

BY = "command:service_key"


def end_of(day: date) -> datetime:
    """The last moment of a day in the city."""
    return timezone.make_aware(datetime.combine(day, time.max))


def facts(key: ServiceKey) -> dict[str, Any]:
    """What may be told of a key."""
    return {
        "id": key.pk,
        "department": key.department.code,
        "name": key.name,
        "prefix": key.prefix,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


class Command(JsonCommand):
    """`manage.py service_key create|revoke|list`."""

    help = "create, revoke or list the keys of departments' programs"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", parents=[JSON_OPTION], help="make a key; it is shown this once")
        create.add_argument("--department", required=True, metavar="CODE")
        create.add_argument("--name", required=True, help="what the key is for; need not be unique")
        create.add_argument(
            "--until", type=date.fromisoformat, metavar="DATE", help="last day on which it opens"
        )
        revoke = verbs.add_parser("revoke", parents=[JSON_OPTION], help="end a key at once")
        revoke.add_argument("key", metavar="ID|PREFIX")
        verbs.add_parser("list", parents=[JSON_OPTION], help="all keys, newest first; never their text")

    def run(self, **options: Any) -> dict[str, Any]:
        verbs = {"create": self.create, "revoke": self.revoke, "list": self.list}
        return verbs[options["verb"]](**options)

    def create(self, **options: Any) -> dict[str, Any]:
        """Make a key."""
        until = end_of(options["until"]) if options["until"] else None
        key, text = create_key(department_of(options["department"]), options["name"][:80], until, BY)
        return {"key": text, **facts(key)}

    def revoke(self, **options: Any) -> dict[str, Any]:
        """End a key."""
        return facts(revoke_key(find_key(options["key"]), BY))

    def list(self, **options: Any) -> dict[str, Any]:
        """Tell of all keys."""
        return {"keys": [facts(key) for key in ServiceKey.objects.select_related("department")]}

    def describe(self, result: dict[str, Any]) -> str:
        """A line per key."""
        if "keys" not in result:
            return super().describe(result)
        return "\n".join(
            f"{key['id']}\t{key['department']}/{key['name']}\t{key['prefix']}…\t"
            f"{'revoked' if key['revoked_at'] else key['expires_at'] or 'no end'}"
            for key in result["keys"]
        )
