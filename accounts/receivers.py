"""Django's login signals, passed on as signals of this app: the page's login and the admin's are one."""

from typing import Any

from django.contrib.auth import signals as django_signals
from django.http import HttpRequest

from accounts import signals
from accounts.models import User

SHOWN_LENGTH = 60


def pass_on_login(sender: object, user: User, **kwargs: Any) -> None:
    """A person has logged in."""
    signals.logged_in.send(sender=User, user=user)


def pass_on_failure(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """A try was refused; one at a name already locked is not told of, lest a flood fill the audit."""
    seen = {} if request is None else vars(request)
    if seen.get("axes_locked_out") and seen.get("axes_failures_since_start") is None:
        return
    username = str(credentials.get("username", ""))[:SHOWN_LENGTH].replace("\0", "")
    signals.login_failed.send(sender=User, username=username)


def pass_on_logout(sender: object, user: User | None, **kwargs: Any) -> None:
    """A person has logged out."""
    if user is not None:
        signals.logged_out.send(sender=User, user=user)


def connect() -> None:
    """Connect all of them, once."""
    django_signals.user_logged_in.connect(pass_on_login, dispatch_uid="accounts.login")
    django_signals.user_login_failed.connect(pass_on_failure, dispatch_uid="accounts.failure")
    django_signals.user_logged_out.connect(pass_on_logout, dispatch_uid="accounts.logout")
