"""Callers with names and rights: departments, keys and accounts, and requests in their names."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.test import Client
from django.utils import timezone

from accounts.actions import create_key, ensure_department, ensure_role, ensure_user, revoke_key
from accounts.models import Department, ServiceKey, User
from accounts.principals import PUBLIC, Principal, principal_of_key, principal_of_user

PASSWORD = "correct horse battery"


@dataclass
class Caller:
    """Someone who asks: by key, by session, or nobody."""

    name: str
    key: str | None = None
    user: User | None = None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def __post_init__(self):
        if self.user is not None:
            self.client.force_login(self.user, "django.contrib.auth.backends.ModelBackend")

    @property
    def principal(self) -> Principal:
        if self.key is not None:
            return principal_of_key(self.key)
        return principal_of_user(self.user) if self.user is not None else PUBLIC

    def ask(self, method: str, path: str, body=None, **headers):
        """The answer; streams are read to their end."""
        sent = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.key is not None:
            sent["HTTP_AUTHORIZATION"] = f"Bearer {self.key}"
        if body is not None:
            sent |= {"data": body, "content_type": "application/json"}
        answer = self.client.generic(method, path, **sent)
        body_of(answer)  # a stream that nobody reads keeps its transaction open
        return answer

    def get(self, path: str, **headers):
        return self.ask("GET", path, **headers)

    def json(self, path: str, **headers):
        answer = self.get(path, **headers)
        assert answer.status_code == 200, (path, answer.status_code, body_of(answer)[:500])
        return json.loads(body_of(answer))


def body_of(answer) -> bytes:
    """All bytes of an answer; a stream is read once and kept."""
    if not answer.streaming:
        return answer.content
    if not hasattr(answer, "read_once"):
        answer.read_once = b"".join(answer.streaming_content)
    return answer.read_once


def person(username: str, department: Department | None = None, roles=(), **more) -> Caller:
    """A person with a session."""
    made = [ensure_role(role, role, role) for role in roles]
    return Caller(username, user=ensure_user(username, PASSWORD, department, made, username, **more))


def program(department: Department, name: str = "program") -> Caller:
    """A program of a department, with a key of its own."""
    return Caller(f"{department.code}/{name}", key=create_key(department, name, None, "tests")[1])


def revoked(department: Department) -> Caller:
    key, text = create_key(department, "revoked", None, "tests")
    revoke_key(key, "tests")
    return Caller("revoked key", key=text)


def expired(department: Department) -> Caller:
    key, text = create_key(department, "expired", timezone.now() + timedelta(days=1), "tests")
    ServiceKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Caller("expired key", key=text)


def suspended(parent: Department) -> Caller:
    """A program of an office below one that has been closed."""
    closed = ensure_department("closed", "已撤销", "Closed", parent, valid_to=date(2026, 1, 1))
    below = ensure_department("closed_below", "下属", "Below", closed)
    return Caller("suspended department", key=create_key(below, "old", None, "tests")[1])


def offices() -> dict[str, Department]:
    """A small tree: the city, its departments, and two levels below one of them."""
    city = ensure_department("city", "市政府", "City", clearance="sensitive")
    made = {"city": city}
    for code in ("transport", "water", "planning", "emergency", "data", "citycare"):
        made[code] = ensure_department(code, f"部门 {code}", code, city)
    made["district"] = ensure_department("district", "城管局", "District", made["citycare"])
    made["street"] = ensure_department("street", "街道办", "Street", made["district"])
    return made
