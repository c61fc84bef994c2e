"""The verbs of the accounts app."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction
from django.utils import timezone

from accounts import signals
from accounts.clearance import Clearance
from accounts.models import Department, Role, ServiceKey, User
from accounts.principals import digest_of
from spatial.errors import Kind, OnemapError

KEY_MARK = "omk_"
KEY_BYTES = 32  # 43 characters of URL-safe base64
PREFIX_LENGTH = len(KEY_MARK) + 8


class NoSuchDepartment(OnemapError):
    """No department has this code."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "no-such-department"
    message: ClassVar = "there is no department with the code {department}"
    message_zh: ClassVar = "没有代码为 {department} 的部门"


class NoSuchKey(OnemapError):
    """No service key is meant by this."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "no-such-key"
    message: ClassVar = (
        "{matches} service keys are meant by {key}; give the id, or a prefix that only one has"
    )
    message_zh: ClassVar = "{key} 对应 {matches} 个服务密钥，请给出编号或唯一的前缀"


class PastExpiry(OnemapError):
    """A key cannot expire before it is made."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "past-expiry"
    message: ClassVar = "{until} is past: the key would never open anything"
    message_zh: ClassVar = "{until} 已经过去，该密钥永远不会生效"


def department_of(code: str) -> Department:
    """The department with this code.

    Raises
    ------
    NoSuchDepartment
    """
    found = Department.objects.filter(code=code).first()
    if found is None:
        raise NoSuchDepartment(department=code[:64])
    return found


def ensure_department(  # noqa: PLR0913 - one parameter per column
    code: str,
    name_zh: str,
    name_en: str,
    parent: Department | None = None,
    *,
    clearance: str = Clearance.INTERNAL,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Department:
    """Make the department, or bring the one with this code to these values."""
    values = {
        "name_zh": name_zh,
        "name_en": name_en,
        "parent": parent,
        "clearance": clearance,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    return Department.objects.update_or_create(code=code, defaults=values)[0]


def ensure_role(code: str, name_zh: str, name_en: str) -> Role:
    """Make the role, or bring the one with this code to these names."""
    return Role.objects.update_or_create(code=code, defaults={"name_zh": name_zh, "name_en": name_en})[0]


@transaction.atomic
def ensure_user(  # noqa: PLR0913 - one parameter per column
    username: str,
    password: str,
    department: Department | None,
    roles: Iterable[Role],
    display_name: str,
    *,
    clearance: str = Clearance.INTERNAL,
    is_superuser: bool = False,
) -> User:
    """Make the account, or bring it to these values; an unchanged password keeps its sessions."""
    user = User.objects.filter(username=username).first() or User(username=username)
    user.department = department
    user.display_name = display_name
    user.clearance = clearance
    user.is_superuser = user.is_staff = is_superuser
    user.is_active = True
    if not user.pk or not user.check_password(password):
        user.set_password(password)
    user.save()
    user.roles.set(roles)
    return user


@transaction.atomic
def create_key(
    department: Department, name: str, expires_at: datetime | None, created_by: str
) -> tuple[ServiceKey, str]:
    """Make a service key; the text beside it is the only copy there will ever be.

    Raises
    ------
    PastExpiry
        `expires_at` is not in the future.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise PastExpiry(until=expires_at.isoformat())
    text = KEY_MARK + secrets.token_urlsafe(KEY_BYTES)
    key = ServiceKey.objects.create(
        department=department,
        name=name,
        prefix=text[:PREFIX_LENGTH],
        digest=digest_of(text),
        created_by=created_by,
        expires_at=expires_at,
    )
    signals.key_created.send(sender=ServiceKey, key=key, by=created_by)
    return key, text


def find_key(wanted: str) -> ServiceKey:
    """The key meant by an id or by the beginning of its text.

    Raises
    ------
    NoSuchKey
        None, or more than one, is meant.
    """
    keys = ServiceKey.objects.select_related("department")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        found = list(keys.filter(pk=int(wanted)))
    else:
        found = list(keys.filter(prefix=wanted[:PREFIX_LENGTH])[:2]) if len(wanted) >= PREFIX_LENGTH else []
    if len(found) != 1:
        raise NoSuchKey(key=wanted[:PREFIX_LENGTH], matches=len(found))
    return found[0]


@transaction.atomic
def revoke_key(key: ServiceKey, by: str) -> ServiceKey:
    """End a key. From the commit on it opens nothing; revoking twice changes nothing."""
    changed = ServiceKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db()
    if changed:
        signals.key_revoked.send(sender=ServiceKey, key=key, by=by)
    return key
