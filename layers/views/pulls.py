"""Pulls for data managers: what is fetched on a schedule, from where, and how it went."""

from typing import Annotated, Any, ClassVar, Literal

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.actions import department_of
from accounts.principals import Principal, who_asks
from layers.exchange.deliveries.flow import judge_answers
from layers.exchange.deliveries.profile import judge_document
from layers.exchange.pulls import running, sources
from layers.models import Pull
from layers.rights import Action, may_everywhere
from process import audit
from spatial.errors import Kind, OnemapError

router = Router()

LEAST_MINUTES, MOST_MINUTES = 5, 366 * 24 * 60


class ForDataManagers(OnemapError):
    """Pulls are for those who keep the whole map."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "for-data-managers"
    message: ClassVar = "this is for data managers"
    message_zh: ClassVar = "此功能仅供数据管理员使用"


class PullNotFound(OnemapError):
    """There is no such pull."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "pull-not-found"
    message: ClassVar = "there is no such pull"
    message_zh: ClassVar = "没有该定时获取任务"


class PullNameTaken(OnemapError):
    """Two pulls cannot have one name."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "pull-name-taken"
    message: ClassVar = "there is a pull of this name already"
    message_zh: ClassVar = "已有同名的定时获取任务"


class PullIn(Schema):
    """What is fetched, from where and how often, and by which profile it is taken."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=120)]
    kind: Literal["folder", "http", "database"]
    address: Annotated[str, Field(min_length=1, max_length=1000)]
    department: Annotated[str, Field(max_length=64)]
    document: dict[str, Any]
    answers: dict[str, Any] = {}
    every_minutes: Annotated[int, Field(ge=LEAST_MINUTES, le=MOST_MINUTES)] = 1440
    most_changed: Annotated[float, Field(ge=0, le=1)] = 0.2
    enabled: bool = True


def manager_of(request: HttpRequest) -> Principal:
    """The caller, who keeps the whole map.

    Raises
    ------
    ForDataManagers
    """
    who = who_asks(request)
    if not may_everywhere(who, Action.PUBLISH):
        raise ForDataManagers()
    return who


@router.get("/pulls", summary="What is fetched on a schedule")
def pulls(request: HttpRequest) -> dict[str, Any]:
    """Every pull and how its last fetch went."""
    manager_of(request)
    return {"pulls": [_told(one) for one in Pull.objects.select_related("department", "last_delivery")]}


@router.post("/pulls", response={201: dict[str, Any]}, summary="Add a pull")
def add(request: HttpRequest, body: PullIn) -> Status[dict[str, Any]]:
    """It is fetched as soon as a worker is free, then in its rhythm."""
    who = manager_of(request)
    return Status(201, _told(_keep(Pull(created_by=who.name), body, who, "pull.add")))


@router.put("/pulls/{int:number}", summary="Change a pull")
def change(request: HttpRequest, number: int, body: PullIn) -> dict[str, Any]:
    """All of it; another source or another profile is fetched anew."""
    who = manager_of(request)
    return _told(_keep(pull_of(number), body, who, "pull.change"))


@router.delete("/pulls/{int:number}", response={204: None}, summary="Remove a pull")
def remove(request: HttpRequest, number: int) -> Status[None]:
    """What it delivered stays."""
    who = manager_of(request)
    with transaction.atomic():
        found = pull_of(number)
        audit.record(who, "pull.remove", "pull", found.name, source=found.kind)
        found.delete()
    return Status(204, None)


@router.post("/pulls/{int:number}/run", response={202: dict[str, Any]}, summary="Fetch now")
def run(request: HttpRequest, number: int) -> Status[dict[str, Any]]:
    """Outside of the rhythm; the answer names the job. One that is under way already is answered again."""
    who = manager_of(request)
    with transaction.atomic():
        found = pull_of(number)
        job = running.under_way(found)
        if job is None:
            job = running.enqueue(found, who.name)
            audit.record(who, "pull.run", "pull", found.name)
    return Status(202, {"id": found.pk, "job": job.pk})


def pull_of(number: int) -> Pull:
    """The pull of this number.

    Raises
    ------
    PullNotFound
    """
    listed = Pull.objects.select_related("department", "last_delivery")
    found = listed.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise PullNotFound()
    return found


def _keep(pull: Pull, body: PullIn, who: Principal, action: str) -> Pull:
    sources.check(body.kind, body.address)
    judge_document(body.document)
    judge_answers(body.answers)
    wanted = body.dict(exclude={"department"})
    if any(getattr(pull, name) != wanted[name] for name in ("kind", "address", "document", "answers")):
        pull.last_sha256, pull.last_validators = "", {}
        pull.next_at = timezone.now()
    for name, value in wanted.items():
        setattr(pull, name, value)
    pull.department = department_of(body.department)
    try:
        with transaction.atomic():
            pull.save()
            audit.record(who, action, "pull", pull.name, source=pull.kind, enabled=pull.enabled)
    except IntegrityError as error:
        raise PullNameTaken() from error
    return pull


def _told(pull: Pull) -> dict[str, Any]:
    last = pull.last_delivery
    names = ("name", "kind", "address", "document", "answers", "every_minutes", "most_changed", "enabled")
    return {
        "id": pull.pk,
        **{name: getattr(pull, name) for name in names},
        "department": pull.department.code,
        "next_at": pull.next_at,
        "last_at": pull.last_at,
        "last_state": pull.last_state,
        "last_reason": pull.last_reason,
        "last_delivery": {"id": last.pk, "name": last.name, "state": last.state} if last else None,
        "created_by": pull.created_by,
    }
