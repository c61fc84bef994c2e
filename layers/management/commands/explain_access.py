"""Say by which grants somebody may act on a layer, or why not."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from accounts.models import ServiceKey, User
from accounts.principals import Principal, principal_of_service_key, principal_of_user, why_refused
from layers.access import principal_called
from layers.actions.grants import BadGrant
from layers.rights import Action, explain_access

WHO = "user:NAME, key:PREFIX, department:CODE, role:CODE or public"


class Command(JsonCommand):
    """`manage.py explain_access --layer NAME --who user:U|key:PREFIX|department:CODE|role:R|public`."""

    help = "say by which grants somebody may act on a layer, or why not"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--layer", required=True)
        parser.add_argument("--who", required=True, help=WHO)
        parser.add_argument("--action", default="view", choices=[action.value for action in Action])

    def run(self, **options: Any) -> dict[str, Any]:
        who, closed = self._principal(options["who"])
        lines = explain_access(who, options["layer"], Action(options["action"]))
        if closed is not None:  # whatever is granted: the door itself stays shut
            lines = [f"refused: {who.name} is {closed}"]
        return {"who": who.name, "layer": options["layer"], "action": options["action"], "because": lines}

    def _principal(self, text: str) -> tuple[Principal, str | None]:
        """Who is meant, and why such a caller is not let in at all (None: is let in)."""
        kind, _, name = text.partition(":")
        if kind == "user" and (user := User.objects.filter(username=name).first()):
            return principal_of_user(user), None if user.is_active else "inactive"
        if kind == "key" and (key := ServiceKey.objects.filter(prefix=name).first()):
            chain = key.department.ancestors()
            return principal_of_service_key(key, chain), why_refused(key, chain)
        if found := principal_called(text):
            return found, None
        raise BadGrant(reason=f"there is no {text}: give {WHO}")
