"""What accounts tell of, written into the audit."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.dispatch import Signal

from accounts import signals
from accounts.models import Department, Role, ServiceKey, User
from process import audit


def on_login(sender: object, user: User, **kwargs: Any) -> None:
    """A person logged in."""
    audit.record(f"user:{user.get_username()}", "login", "user", user.get_username())


def on_failed_login(sender: object, username: str, **kwargs: Any) -> None:
    """A login was refused."""
    audit.record("public", "login.refused", "user", username)


def on_logout(sender: object, user: User, **kwargs: Any) -> None:
    """A person logged out."""
    audit.record(f"user:{user.get_username()}", "logout", "user", user.get_username())


def key_name(key: ServiceKey) -> str:
    """A key as the audit names it."""
    return f"{key.department.code}/{key.name}"


def on_key_created(sender: object, key: ServiceKey, by: str, **kwargs: Any) -> None:
    """A service key was made."""
    audit.record(
        by, "key.create", "key", key_name(key), id=key.pk, prefix=key.prefix, expires_at=key.expires_at
    )


def on_key_revoked(sender: object, key: ServiceKey, by: str, **kwargs: Any) -> None:
    """A service key was ended."""
    audit.record(by, "key.revoke", "key", key_name(key), id=key.pk, prefix=key.prefix)


def on_key_refused(sender: object, key: ServiceKey | None, why: str, **kwargs: Any) -> None:
    """A service key was tried and did not open."""
    if key is None:
        audit.record("public", "key.refused", "key", why=why)
    else:
        audit.record(f"key:{key_name(key)}", "key.refused", "key", key_name(key), why=why, id=key.pk)


def on_department(
    sender: object, department: Department, by: str, changes: dict[str, Any], **kwargs: Any
) -> None:
    """A department was made or changed."""
    audit.record(by, "department.change", "department", department.code, changes=changes)


def on_user(sender: object, user: User, by: str, changes: dict[str, Any], **kwargs: Any) -> None:
    """An account was made or changed."""
    audit.record(by, "user.change", "user", user.get_username(), changes=changes)


def on_role(sender: object, role: Role, by: str, changes: dict[str, Any], **kwargs: Any) -> None:
    """A role was made or changed."""
    audit.record(by, "role.change", "role", role.code, changes=changes)


def on_merger(
    sender: object, source: Department, target: Department, day: date, by: str, **kwargs: Any
) -> None:
    """A department was taken into another."""
    audit.record(by, "department.merge", "department", source.code, into=target.code, day=day)


def on_people(sender: object, by: str, counts: dict[str, Any], **kwargs: Any) -> None:
    """A roster was imported."""
    audit.record(by, "people.import", "people", "roster", counts=counts)


def connect() -> None:
    """Connect all of them, once."""
    pairs: dict[Signal, Callable[..., None]] = {
        signals.logged_in: on_login,
        signals.login_failed: on_failed_login,
        signals.logged_out: on_logout,
        signals.key_created: on_key_created,
        signals.key_revoked: on_key_revoked,
        signals.key_refused: on_key_refused,
        signals.department_changed: on_department,
        signals.user_changed: on_user,
        signals.role_changed: on_role,
        signals.department_merged: on_merger,
        signals.people_imported: on_people,
    }
    for signal, receiver in pairs.items():
        signal.connect(receiver, dispatch_uid=f"process.{receiver.__name__}")
