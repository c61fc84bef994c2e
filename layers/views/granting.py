"""Rights on a layer: given, taken back, and told: who can see this, and why someone cannot."""

from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers import access
from layers.actions import give, take_back
from layers.actions.areas import area_given
from layers.actions.grants import BadGrant, grantee
from layers.models import Grant
from layers.rights import Action, Scope, explain_access
from layers.views.describing import row_of
from layers.views.keepers import kept_scope, require_whole
from spatial.errors import Kind, OnemapError

router = Router()


class GrantNotFound(OnemapError):
    """There is no such grant on the layer."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "grant-not-found"
    message: ClassVar = "layer {layer} has no such grant of its own"
    message_zh: ClassVar = "图层 {layer} 没有该授权"


class GrantElsewhere(OnemapError):
    """The grant is on more than this layer."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "grant-elsewhere"
    message: ClassVar = (
        "this grant is on {on}, not on layer {layer} alone; it is taken back in the administration"
    )
    message_zh: ClassVar = "该授权的对象是{on_zh}，并非仅限图层 {layer}；请在系统管理中收回"


class NobodyCalled(OnemapError):
    """Nobody of that name can be asked about."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "nobody-called"
    message: ClassVar = "there is nobody called {who}: department:CODE, role:R, user:U or public"
    message_zh: ClassVar = "没有 {who}：请使用 department:代码、role:代码、user:用户名 或 public"


class GrantIn(Schema):
    """A right: to whom, what, and within which limits."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(min_length=1, max_length=200)]
    actions: Annotated[list[str], Field(min_length=1, max_length=6)]
    fields: Annotated[list[str], Field(max_length=1_000)] | None = None
    area: dict[str, Any] | None = None
    until: date | None = None  # the last day


def _administered(request: HttpRequest, name: str) -> Scope:
    return require_whole(kept_scope(who_asks(request), name, Action.ADMIN))


@router.get("/layers/{name}/grants", summary="The rights on a layer")
def grants(request: HttpRequest, name: str) -> dict[str, Any]:
    """Every grant that concerns the layer: on itself, on its theme, on every layer. Needs `admin`."""
    found = _administered(request, name)
    here = Q(layer_id=found.layer.id) | Q(theme_id=found.layer.theme.id) | Q(layer=None, theme=None)
    listed = Grant.objects.select_related("department", "role", "user").filter(here)
    return {"grants": [_grant(one) for one in listed.order_by("-layer_id", "-theme_id", "pk")]}


def _grant(one: Grant) -> dict[str, Any]:
    to, zh, en = _to(one)
    return {
        "id": one.pk,
        "to": to,
        "to_name": zh,
        "to_name_en": en,
        "actions": [action.value for action in Action if action in one.actions],
        "fields": one.fields,
        "area_label": (one.area_label or "drawn") if one.area is not None else None,
        "until": one.until,
        "ended": one.until is not None and one.until <= timezone.now(),
        "created_by": one.created_by,
        "created_at": one.created_at,
        "on": "layer" if one.layer_id else "theme" if one.theme_id else "all",
    }


def _to(one: Grant) -> tuple[str, str, str]:
    if one.department is not None:
        name = one.department.name_zh
        return f"department:{one.department.code}", name, one.department.name_en or name
    if one.role is not None:
        return f"role:{one.role.code}", one.role.name_zh, one.role.name_en or one.role.name_zh
    if one.user is not None:
        return f"user:{one.user.get_username()}", one.user.shown_name(), one.user.shown_name()
    return "public", "公众", "the public"


@router.post("/layers/{name}/grants", response={201: dict[str, Any]}, summary="Give a right")
def give_right(request: HttpRequest, name: str, body: GrantIn) -> Status[dict[str, Any]]:
    """Give a right on the layer; giving the same again changes nothing. Needs `admin` on the whole layer."""
    found = _administered(request, name)
    area, label = area_given(body.area) if body.area is not None else (None, "")
    given = give(
        grantee(body.to),
        body.actions,
        by=who_asks(request).name,
        layer=row_of(found),
        fields=body.fields,
        area=area,
        area_label=label,
        until=_end_of(body.until) if body.until else None,
    )
    return Status(201, _grant(given))


def _end_of(day: date) -> datetime:
    if not timezone.localdate() <= day < date(9998, 1, 1):
        raise BadGrant(reason=f"the last day {day} is over / 截止日期 {day} 已过")
    return timezone.make_aware(datetime.combine(day, time.max))


@router.delete("/layers/{name}/grants/{int:number}", response={204: None}, summary="Take a right back")
def take_right_back(request: HttpRequest, name: str, number: int) -> Status[None]:
    """Take back a right that was given on this layer; it is dead at the next request. Needs `admin`."""
    found = _administered(request, name)
    one = Grant.objects.select_related("layer").filter(pk=number).first() if number < 2**63 else None
    if one is None or (one.layer_id or found.layer.id) != found.layer.id:
        raise GrantNotFound(layer=name)
    if one.layer_id is None:
        on, on_zh = ("a theme", "专题") if one.theme_id else ("every layer", "全部图层")
        raise GrantElsewhere(layer=name, on=on, on_zh=on_zh)
    take_back(one, by=who_asks(request).name)
    return Status(204, None)


@router.get("/layers/{name}/access", summary="Who can see this")
def who_can_see(request: HttpRequest, name: str) -> dict[str, Any]:
    """Everybody who may do anything with the layer, and how many people of each department. Needs `admin`."""
    return {"layer": name, **access.who_reaches(_administered(request, name).layer)}


@router.get("/layers/{name}/access/{who}", summary="Why someone may or may not")
def explain(request: HttpRequest, name: str, who: str) -> dict[str, Any]:
    """Per action what `department:CODE`, `role:R`, `user:U` or `public` may do, and by which grants. Needs `admin`."""
    found = _administered(request, name)
    principal = access.principal_called(who)
    if principal is None:
        raise NobodyCalled(who=who[:80])
    told = access.explained(principal, found.layer)
    return {
        "layer": name,
        "to": who,
        "actions": told,
        "sentences": {one.value: explain_access(principal, name, one) for one in Action},
    }
