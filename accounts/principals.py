"""Who is asking: a person, a service key, or the public."""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts import signals
from accounts.clearance import Clearance
from accounts.models import Department, ServiceKey, User, is_open
from spatial.errors import Kind, OnemapError

ADMIN_ROLE = "admin"
LAST_USED_STEP = timedelta(minutes=1)
REFUSALS_TOLD_EVERY_S = 60

# The network address of the request being answered; None outside of requests.
caller_address: ContextVar[str | None] = ContextVar("caller_address", default=None)


class BadCredentials(OnemapError):
    """The key is not valid here."""

    kind: ClassVar = Kind.UNAUTHENTICATED
    code: ClassVar = "bad-credentials"
    message: ClassVar = "the key is wrong, expired or revoked"
    message_zh: ClassVar = "密钥错误、已过期或已吊销"


@dataclass(frozen=True)
class Principal:
    """The caller, as rights see one.

    Attributes
    ----------
    kind
        'user', 'key' or 'public'.
    name
        'user:lin', 'key:transport/ogc' or 'public'; what the audit writes.
    department_ids
        The caller's own department and every one above it: a grant to any of them reaches the caller.
    clearance
        The highest level the caller may see.
    """

    kind: str
    name: str
    user_id: int | None
    key_id: int | None
    department_ids: frozenset[int]
    roles: frozenset[str]
    clearance: Clearance
    department_code: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether this caller administers the platform."""
        return ADMIN_ROLE in self.roles


PUBLIC = Principal("public", "public", None, None, frozenset(), frozenset(), Clearance.PUBLIC)


def digest_of(text: str) -> str:
    """SHA-256 of a key's text in hexadecimal: 256 random bits need neither salt nor a slow hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def principal_of_user(user: User) -> Principal:
    """The principal of a logged-in person.

    The clearance is the lower of the person's and the department's. A person whose department is closed
    keeps the account but nothing that came with the department, and sees what the public sees.
    """
    chain = user.department.ancestors() if user.department else []
    opened = is_open(chain)
    levels = [Clearance(user.clearance), *(Clearance(one.clearance) for one in chain[:1])]
    roles = set(user.roles.values_list("code", flat=True))
    roles |= set(user.posts.filter(closed=False, roles__isnull=False).values_list("roles__code", flat=True))
    if user.is_superuser:
        roles.add(ADMIN_ROLE)
    return Principal(
        kind="user",
        name=f"user:{user.get_username()}",
        user_id=user.pk,
        key_id=None,
        department_ids=frozenset(one.pk for one in chain) if opened else frozenset(),
        roles=frozenset(roles) if opened else frozenset(),
        clearance=min(levels) if opened else Clearance.PUBLIC,
        department_code=chain[0].code if chain and opened else None,
    )


def principal_of_key(text: str) -> Principal:
    """The principal of a service key's text. Read anew each time: a revocation holds at once.

    Raises
    ------
    BadCredentials
        The same answer for a key that is wrong, expired, revoked, or of a department that is closed.
    """
    digest = digest_of(text)
    key = ServiceKey.objects.select_related("department").filter(digest=digest).first()
    chain = key.department.ancestors() if key else []
    why = why_refused(key, chain)
    if key is None or why:
        tell_refusal(key, why or "unknown", digest)
        raise BadCredentials()
    note_use(key)
    return principal_of_service_key(key, chain)


def principal_of_service_key(key: ServiceKey, chain: list[Department]) -> Principal:
    """The principal a valid key stands for; `chain` is its department and those above it."""
    return Principal(
        kind="key",
        name=f"key:{key.department.code}/{key.name}",
        user_id=None,
        key_id=key.pk,
        department_ids=frozenset(one.pk for one in chain),
        roles=frozenset(),
        clearance=Clearance(key.department.clearance),
        department_code=key.department.code,
    )


def why_refused(key: ServiceKey | None, chain: list[Department]) -> str | None:
    """For the audit alone: why a key does not open; None when it does."""
    if key is None:
        return "unknown"
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= timezone.now():
        return "expired"
    return None if is_open(chain) else "department closed"


def note_use(key: ServiceKey) -> None:
    """Remember that the key was used, to the minute: a harvest must not write a row per request."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_STEP:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_STEP)
        ServiceKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def tell_refusal(key: ServiceKey | None, why: str, digest: str) -> None:
    """Send `key_refused`, once a minute for one key, or for all unknown keys of one address."""
    about = digest if key else f"address:{caller_address.get()}"
    if cache.add(f"key-refused:{hashlib.sha256(about.encode()).hexdigest()}", 1, REFUSALS_TOLD_EVERY_S):
        signals.key_refused.send(sender=ServiceKey, key=key, why=why)


def who_asks(request: HttpRequest) -> Principal:
    """The principal of a request, set by accounts.middleware."""
    found: Principal = vars(request)["principal"]
    return found
