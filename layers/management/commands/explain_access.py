"""Say by which grants somebody may act on a layer, or why not."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from accounts.models import ServiceKey, User
from accounts.principals import PUBLIC, Principal, principal_of_service_key, principal_of_user
from layers.actions.grants import BadGrant
from layers.rights import Action, explain_access


class Command(JsonCommand):
    """`manage.py explain_access --layer NAME --who user:U|key:PREFIX|public --action query`."""

    help = "say by which grants somebody may act on a layer, or why not"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--layer", required=True)
        parser.add_argument("--who", required=True, help="user:NAME, key:PREFIX or public")
        parser.add_argument("--action", default="view", choices=[action.value for action in Action])

    def run(self, **options: Any) -> dict[str, Any]:
        who = self._principal(options["who"])
        lines = explain_access(who, options["layer"], Action(options["action"]))
        return {"who": who.name, "layer": options["layer"], "action": options["action"], "because": lines}

    def _principal(self, text: str) -> Principal:
        kind, _, name = text.partition(":")
        if kind == "public":
            return PUBLIC
        if kind == "user" and (user := User.objects.filter(username=name).first()):
            return principal_of_user(user)
        if kind == "key" and (key := ServiceKey.objects.filter(prefix=name).first()):
            return principal_of_service_key(key, key.department.ancestors())
        raise BadGrant(reason=f"there is no {text}: give user:NAME, key:PREFIX or public")
