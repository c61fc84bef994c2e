"""Deliveries as the data manager's pages and programs see them."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.principals import Principal, who_asks
from layers import catalogue
from layers.exchange.deliveries import flow
from layers.exchange.deliveries.profile import judge_document, layers_named
from layers.exchange.kinds import with_names
from layers.models import Delivery, DeliveryPart, DeliveryProfile
from layers.rights import Action, may_everywhere
from layers.views.keepers import kept_scope
from process.models import Job
from process.uploads import gather
from spatial.errors import Kind, OnemapError

router = Router()

PAGE = 50
MOST_OPEN = 50  # of one sender, undecided
DECIDED = (Delivery.State.ACCEPTED, Delivery.State.REFUSED, Delivery.State.WITHDRAWN)


class DeliveryNotFound(OnemapError):
    """There is no such delivery for this caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "delivery-not-found"
    message: ClassVar = "there is no such delivery"
    message_zh: ClassVar = "没有该交付"


class ProfileNotFound(OnemapError):
    """There is no such profile."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "profile-not-found"
    message: ClassVar = "there is no delivery profile {profile}"
    message_zh: ClassVar = "没有交付方案 {profile}"


class MayNotDeliver(OnemapError):
    """The caller may not publish to a layer the delivery is for."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "may-not-deliver"
    message: ClassVar = "you may not publish to {layer}"
    message_zh: ClassVar = "您无权发布到图层 {layer}"


class MayNotCompare(OnemapError):
    """The checks of a delivery would tell of a layer that the caller may not read."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "may-not-compare"
    message: ClassVar = "the checks name layer {layer}, which you may not read as a whole"
    message_zh: ClassVar = "检查规则引用了图层 {layer}，您无权读取其全部内容"


class TooManyDeliveries(OnemapError):
    """The sender's files lie on the disk until a delivery is decided."""

    kind: ClassVar = Kind.TOO_MANY
    code: ClassVar = "too-many-deliveries"
    message: ClassVar = "{limit} deliveries of yours are undecided; have them decided or take some back"
    message_zh: ClassVar = "您已有 {limit} 个未处理完的交付，请先等待处理或撤回其中一部分"


class DeliveryIn(Schema):
    """A delivery: uploads that are whole, and what they are for."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=300)]
    department: str
    uploads: Annotated[list[str], Field(min_length=1, max_length=2_000)]
    profile: str | None = None
    document: dict[str, Any] | None = None
    answers: dict[str, Any] = {}


class ReadAsIn(Schema):
    """How a source is read, whatever it says of itself."""

    model_config = ConfigDict(extra="forbid")

    encoding: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    source_crs: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class AnswersIn(Schema):
    """What the delivery asked for, answered once for all its parts; `read_as` is by the name of a source."""

    model_config = ConfigDict(extra="forbid")

    encoding: str | None = None
    source_crs: str | None = None
    valid_from: str | None = None
    accept: list[str] | None = None
    conflicts: Literal["keep", "take"] | None = None
    repair: bool | None = None
    read_as: Annotated[dict[str, ReadAsIn], Field(max_length=1_000)] | None = None


class ReasonIn(Schema):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2_000)] = ""


def delivery_of(principal: Principal, number: int) -> Delivery:
    """The delivery, if this caller sent it or keeps the whole map.

    Raises
    ------
    DeliveryNotFound
        There is none, or it is another's: the answer is the same.
    """
    found = (
        Delivery.objects.select_related("department").filter(pk=number).first() if number < 2**63 else None
    )
    own = found is not None and principal.kind != "public" and found.sent_by == principal.name
    if found is None or not (own or may_everywhere(principal, Action.PUBLISH)):
        raise DeliveryNotFound()
    return found


def may_deliver(principal: Principal, document: dict[str, Any]) -> None:
    """Refuse a delivery to layers this caller may not publish; new layers are for keepers of the whole map.

    Raises
    ------
    MayNotDeliver
    """
    known = catalogue.current()
    for part in document["parts"]:
        name = str(part["layer"])
        there = name in known.layers or name in known.rasters
        if not there and may_everywhere(principal, Action.PUBLISH):
            continue
        try:
            found = kept_scope(principal, name, Action.PUBLISH)
        except OnemapError as error:
            raise MayNotDeliver(layer=name) from error
        if not found.unlimited:
            raise MayNotDeliver(layer=name)


def may_compare(principal: Principal, document: dict[str, Any]) -> None:
    """Refuse checks against layers this caller may not read: their findings would show what is in them.

    Raises
    ------
    MayNotCompare
    """
    for name in sorted(layers_named(document)):
        try:
            found = kept_scope(principal, name, Action.QUERY)
        except OnemapError as error:
            raise MayNotCompare(layer=name) from error
        if not found.unlimited:
            raise MayNotCompare(layer=name)


def require_place(principal: Principal) -> None:
    """Refuse one more delivery to a sender of many that nobody decided; two at once are counted in turn.

    Raises
    ------
    TooManyDeliveries
    """
    with connection.cursor() as cursor:
        lock = f"deliveries of {principal.name}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
    undecided = Delivery.objects.filter(sent_by=principal.name).exclude(state__in=DECIDED)
    if undecided.count() >= MOST_OPEN:
        raise TooManyDeliveries(limit=MOST_OPEN)


@router.get("/deliveries", summary="Deliveries, newest first")
def deliveries(
    request: HttpRequest, state: str = "", offset: Annotated[int, Query(lt=2**31)] = 0
) -> dict[str, Any]:
    """Those you sent, or all if you keep the whole map; fifty at a time."""
    who = who_asks(request)
    listed = Delivery.objects.select_related("department")
    if not may_everywhere(who, Action.PUBLISH):
        listed = listed.filter(sent_by=who.name) if who.kind != "public" else listed.none()
    if state:
        listed = listed.filter(state=state)
    total = listed.count()
    newest = listed.annotate(part_count=Count("parts")).order_by("-sent_at", "-pk")
    shown = list(newest[max(offset, 0) : max(offset, 0) + PAGE])
    running = Job.objects.in_bulk([one.job for one in shown if one.job is not None])
    return {
        "deliveries": [_line(one, running.get(one.job or 0), vars(one)["part_count"]) for one in shown],
        "total": total,
    }


def _line(one: Delivery, job: Job | None, parts: int) -> dict[str, Any]:
    department = one.department
    state = "failed" if job is not None and flow.lost(one) else one.state
    return {
        "id": one.pk,
        "name": one.name,
        "department": {"code": department.code, "name_zh": department.name_zh, "name_en": department.name_en},
        "state": state,
        "sent_by": one.sent_by,
        "sent_at": one.sent_at,
        "parts": parts,
        "questions": len(one.questions),
        "blocks": one.verdict.get("blocks", 0),
        "warns": one.verdict.get("warns", 0),
        "job": _job(job),
    }


def _job(job: Job | None) -> dict[str, Any] | None:
    if job is None:
        return None
    return {
        "id": job.pk,
        "state": job.state,
        "step": job.step,
        "progress": job.progress,
        "reason": job.reason,
    }


@router.post("/deliveries", response={201: dict[str, Any]}, summary="Send a delivery")
def send(request: HttpRequest, body: DeliveryIn) -> Status[dict[str, Any]]:
    """Make a delivery of complete uploads, by a profile or with a document of its own."""
    who = who_asks(request)
    profile = _profile(who, body.profile) if body.profile else None
    document = profile.document if profile else (body.document or {})
    judge_document(document)
    may_deliver(who, document)
    if profile is None:  # a kept profile is the word of who keeps the whole map
        may_compare(who, document)
    settings.ONEMAP_VAR.mkdir(parents=True, exist_ok=True)
    # When the delivery cannot begin, its uploads are not used up.
    with (
        transaction.atomic(),
        tempfile.TemporaryDirectory(dir=settings.ONEMAP_VAR, prefix="delivery-") as scratch,
    ):
        require_place(who)
        files = gather(body.uploads, who.name, Path(scratch))
        path = files[0] if len(files) == 1 else Path(scratch)
        delivery = flow.start_delivery(
            path,
            document,
            name=body.name,
            department=body.department,
            actor=who.name,
            answers=body.answers,
            profile=profile,
        )
    return Status(201, {"id": delivery.pk, "job": delivery.job})


@router.get("/deliveries/{int:number}", summary="A delivery")
def delivery(request: HttpRequest, number: int) -> dict[str, Any]:
    """Its state, what it asks, its parts and the verdict."""
    found = delivery_of(who_asks(request), number)
    job = Job.objects.filter(pk=found.job or 0).first()
    parts = list(found.parts.all())
    return {
        **_line(found, job, len(parts)),
        "answers": found.answers,
        "questions": found.questions,
        "parts": [_part(one) for one in parts],
        "verdict": with_names(found.verdict) if found.verdict else None,
        "strict": bool(found.document.get("strict", True)),
        "sha256": found.sha256,
        "reason": found.reason,
        "decided_by": found.decided_by,
        "decided_at": found.decided_at,
        "package": bool(found.package),
    }


def _part(one: DeliveryPart) -> dict[str, Any]:
    return {
        "order": one.order,
        "kind": one.kind,
        "source": one.source,
        "layer": one.layer_name,
        "title_zh": one.options.get("title_zh", ""),
        "mode": one.options.get("mode", ""),
        "state": one.report.get("status", ""),
        "held": one.held,
        "report": one.report,
        "encoding": one.facts.get("encoding") or one.facts.get("origin", {}).get("encoding"),
        "source_crs": one.facts.get("source_crs") or one.facts.get("origin", {}).get("source_crs"),
        "bounds": one.facts.get("bounds"),
        "samples": one.samples,
    }


@router.post("/deliveries/{int:number}/answers", summary="Answer what a delivery asks")
def answers(request: HttpRequest, number: int, body: AnswersIn) -> dict[str, Any]:
    """Once for all parts; the delivery is checked again."""
    who = who_asks(request)
    given = body.dict(exclude_none=True)
    found = flow.answer(delivery_of(who, number).pk, given, by=who.name)
    return {"id": found.pk, "state": found.state, "job": found.job}


@router.post("/deliveries/{int:number}/accept", summary="Accept a delivery")
def accept(request: HttpRequest, number: int, body: ReasonIn) -> dict[str, Any]:
    """All its layers are shown at one instant, as soon as the job has done its work."""
    who = who_asks(request)
    found = delivery_of(who, number)
    may_deliver(who, {"parts": [{"layer": part.layer_name} for part in found.parts.all()]})
    accepted = flow.accept(found.pk, by=who.name, reason=body.reason)
    return {"id": accepted.pk, "state": accepted.state, "job": accepted.job}


@router.post("/deliveries/{int:number}/refuse", summary="Send a delivery back")
def refuse(request: HttpRequest, number: int, body: ReasonIn) -> dict[str, Any]:
    """With its findings; nothing of it is shown."""
    who = who_asks(request)
    found = flow.refuse(delivery_of(who, number).pk, by=who.name, reason=body.reason)
    return {"id": found.pk, "state": found.state}


@router.post("/deliveries/{int:number}/withdraw", summary="Take a delivery back")
def withdraw(request: HttpRequest, number: int) -> dict[str, Any]:
    """Before anybody accepted it."""
    who = who_asks(request)
    found = flow.withdraw(delivery_of(who, number).pk, by=who.name)
    return {"id": found.pk, "state": found.state}


def may_use(principal: Principal, profile: DeliveryProfile) -> bool:
    """Whether this caller may publish to every layer that a profile is for."""
    try:
        may_deliver(principal, profile.document)
    except MayNotDeliver:
        return False
    return True


def _profile(principal: Principal, code: str) -> DeliveryProfile:
    """The profile; one of layers that the caller may not publish to is no profile at all."""
    found = DeliveryProfile.objects.filter(code=code).first()
    if found is None or not may_use(principal, found):
        raise ProfileNotFound(profile=code)
    return found
