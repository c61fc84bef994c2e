"""Giving rights and taking them back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.gis.geos import MultiPolygon
from django.db import transaction

from accounts.models import Department, Role, User
from layers.models import Field, Grant, Layer, Theme
from layers.rights import Action
from process import audit
from spatial.errors import Kind, OnemapError

AREA_SRID = 4490


class BadGrant(OnemapError):
    """A right that cannot be given so."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-grant"
    message: ClassVar = "{reason}"
    message_zh: ClassVar = "{reason}"


@dataclass(frozen=True)
class Grantee:
    """To whom: exactly one of them, or nobody for the public."""

    department: Department | None = None
    role: Role | None = None
    user: User | None = None

    @property
    def kind(self) -> str:
        """'department', 'role', 'user' or 'public'."""
        for name in ("department", "role", "user"):
            if getattr(self, name) is not None:
                return name
        return "public"


def grantee(text: str) -> Grantee:
    """Read `department:CODE`, `role:R`, `user:U` or `public`.

    Raises
    ------
    BadGrant
        Another form, or nobody of that name.
    """
    if text == "public":
        return Grantee()
    kind, _, name = text.partition(":")
    if kind == "department":
        found = Department.objects.filter(code=name).first()
        answer = Grantee(department=found) if found else None
    elif kind == "role":
        role = Role.objects.filter(code=name).first()
        answer = Grantee(role=role) if role else None
    elif kind == "user":
        user = User.objects.filter(username=name).first()
        answer = Grantee(user=user) if user else None
    else:
        raise BadGrant(reason=f"'{text}' is nobody: give department:CODE, role:R, user:U or public")
    if answer is None:
        raise BadGrant(reason=f"there is no {kind} {name}")
    return answer


@transaction.atomic
def give(  # noqa: PLR0913 - one parameter per part of a grant
    to: Grantee,
    actions: Collection[str],
    *,
    by: str,
    layer: Layer | None = None,
    theme: Theme | None = None,
    fields: Collection[str] | None = None,
    area: MultiPolygon | None = None,
    area_label: str = "",
    until: datetime | None = None,
) -> Grant:
    """Give a right; giving the same again is no error and changes nothing.

    Parameters
    ----------
    fields
        Field names of the layer; None is all of them, later ones too.
    area
        Multipolygon, longitude and latitude on CGCS2000; None is everywhere.

    Raises
    ------
    BadGrant
        An action or a field does not exist.
    """
    _judge(layer, actions, fields)
    values = {
        "layer": layer,
        "theme": theme,
        "to": to.kind,
        "department": to.department,
        "role": to.role,
        "user": to.user,
        "actions": sorted(set(actions)),
        "fields": sorted(set(fields)) if fields is not None else None,
        "area_label": area_label,
        "until": until,
    }
    if (known := _same(values, area)) is not None:
        return known
    grant = Grant.objects.create(**values, area=area, created_by=by)
    named = layer.name if layer else f"theme:{theme.code}" if theme else "*"
    audit.record(
        by,
        "grant.give",
        "layer",
        named,
        to=to.kind,
        actions=values["actions"],
        grant=grant.pk,
        fields=values["fields"],
    )
    return grant


def _same(values: dict[str, Any], area: MultiPolygon | None) -> Grant | None:
    """The grant that says exactly this already."""
    wanted = {
        f"{name}__isnull" if value is None else name: value is None or value for name, value in values.items()
    }
    found = Grant.objects.filter(**wanted)
    return (found.filter(area__isnull=True) if area is None else found.filter(area__equals=area)).first()


@transaction.atomic
def take_back(grant: Grant, *, by: str) -> None:
    """Take a right back; it is dead at the next request."""
    audit.record(by, "grant.take_back", "layer", grant.layer.name if grant.layer else "*", grant=grant.pk)
    grant.delete()


def _judge(layer: Layer | None, actions: Collection[str], fields: Collection[str] | None) -> None:
    known = {action.value for action in Action}
    if not actions or set(actions) - known:
        raise BadGrant(reason=f"actions are some of {', '.join(sorted(known))}")
    if fields is None:
        return
    if layer is None:
        raise BadGrant(reason="fields can be named for one layer only")
    missing = set(fields) - set(Field.objects.filter(layer=layer).values_list("name", flat=True))
    if missing:
        raise BadGrant(reason=f"layer {layer.name} has no field {', '.join(sorted(missing))}")
