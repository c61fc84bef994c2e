"""Changesets: made, edited, compared with the one map, reviewed and published."""

import re
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import ninja
from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.principals import Principal, who_asks
from layers.changesets import access, comparing, drafting, publishing, reverting, reviewing, settling
from layers.models import Changeset
from layers.ogc.bodies import content_crs_of, geometry_given
from layers.reads import note_read
from layers.rights import Action, Scope, scope
from layers.views import changeset_shapes as shapes
from layers.views.meetings import conflict_out
from spatial.errors import Kind, OnemapError
from spatial.numbers import BadNumber, parse_integer

router = Router()

PAGE = 50
MOST_CONFLICTS = 500
_PLACE = re.compile(r"([0-9]{1,10})\.([0-9]{1,19})(?:\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?\Z", re.ASCII)


class BadPlace(OnemapError):
    """`after` is not what a page gave as `next`."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-page"
    message: ClassVar = "after is the next of the page before"
    message_zh: ClassVar = "after 应为上一页返回的 next"


@router.get("/changesets", response=shapes.ListOut, summary="Changesets, the last changed first")
def changesets(
    request: HttpRequest,
    state: shapes.StateName | None = None,
    mine: bool = False,
    review: bool = False,
    layer: Annotated[str, Query(max_length=48)] = "",
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> dict[str, Any]:
    """Those the caller sees: their own, the department's shared ones, those they may review; fifty at a time.

    `review`: those alone that wait for a review which the caller may give.
    """
    who = who_asks(request)
    listed = access.reviewable(who) if review else access.visible(who)
    if state is not None:
        listed = listed.filter(state=state)
    if mine:
        listed = listed.filter(owner=who.name)
    if layer:
        listed = listed.filter(layers__layer_id=scope(who, layer, Action.QUERY).layer.id)
    page = listed.select_related("department").prefetch_related("layers__layer")
    shown = page.order_by("-changed_at", "-pk")[offset : offset + PAGE]
    return {"changesets": [_line(who, one) for one in shown], "total": listed.count()}


@router.post("/changesets", response={201: shapes.ChangesetOut}, summary="Begin a changeset")
def create(request: HttpRequest, body: shapes.ChangesetIn) -> Status[dict[str, Any]]:
    """A new, empty changeset of the caller."""
    who = who_asks(request)
    made = drafting.create(who, body.title, body.about, shared=body.shared)
    return Status(201, _told(who, made.pk))


@router.get("/changesets/{int:number}", response=shapes.ChangesetOut, summary="A changeset")
def detail(request: HttpRequest, number: int) -> dict[str, Any]:
    """What it is, what it touches, every step it took, and which the caller may take now."""
    return _told(who_asks(request), number)


@router.patch("/changesets/{int:number}", response=shapes.ChangesetOut, summary="Describe a changeset")
def describe(request: HttpRequest, number: int, body: shapes.DescriptionIn) -> dict[str, Any]:
    """Another title, another occasion; share it with the owner's department or no longer."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    if body.title is not None or body.about is not None:
        drafting.describe(found.pk, who, body.title, body.about)
    if body.shared is not None and body.shared != found.shared:
        reviewing.take_step(found.pk, who, "share" if body.shared else "unshare")
    return _told(who, number)


@router.post("/changesets/{int:number}/edits", response=shapes.EditsOut, summary="Put changes in")
def put(
    request: HttpRequest,
    number: int,
    body: shapes.EditsIn,
    content_crs: Annotated[str | None, ninja.Header(alias="Content-Crs")] = None,
) -> dict[str, Any]:
    """All edits or none, of one layer. Geometries are in `Content-Crs` (CRS84 if not given)."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    scope(who, body.layer, Action.EDIT)
    crs = content_crs_of(content_crs)
    edits = [
        drafting.DraftEdit(
            op=one.op,
            fid=one.fid,
            version=one.version,
            geometry=geometry_given(one.geometry, crs, n) if one.geometry is not None else None,
            properties=one.properties,
            period=one.period,
            since=one.since,
            split_from=one.split_from,
            merged_into=one.merged_into,
        )
        for n, one in enumerate(body.edits, 1)
    ]
    done = drafting.put(found.pk, who, body.layer, edits, counter=body.counter)
    return {"counter": done.counter, "fids": done.fids, "versions": done.versions}


@router.delete(
    "/changesets/{int:number}/features/{layer}/{fid:fid}",
    response=shapes.CounterOut,
    summary="Take a change out",
)
def take_out(request: HttpRequest, number: int, layer: str, fid: int) -> dict[str, Any]:
    """What the changeset does to one feature is no longer part of it."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    return {"counter": drafting.take_out(found.pk, who, layer, fid)}


@router.get("/changesets/{int:number}/diff", response=shapes.DiffOut, summary="What a changeset changes")
def diff(
    request: HttpRequest,
    number: int,
    layer: Annotated[str, Query(max_length=48)] = "",
    op: Literal["insert", "update", "delete"] | None = None,
    after: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=comparing.MOST)] = 100,
) -> dict[str, Any]:
    """Each changed feature as it was and as it would be, as far as the caller's rights on each layer go."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    scopes = [scope(who, layer, Action.QUERY)] if layer else access.readable_scopes(who, found)
    for one in scopes:
        note_read(who, one, "changeset")
    listed = list(comparing.pages(scopes, found.pk, _place(after), limit, op))
    shown, following = [one for one, _ in listed[:limit]], None
    if len(listed) > limit:
        place = listed[limit - 1][1]
        following = ".".join(str(part) for part in place if part is not None)
    ledgers = [] if after else [_ledger(one, found.pk) for one in scopes]
    return {"counter": found.counter, "changes": shown, "ledger": ledgers, "next": following}


def _ledger(one: Scope, changeset: int) -> dict[str, Any]:
    found = comparing.ledger(one, changeset)
    return {"layer": one.layer.name, **{name: getattr(found, name) for name in found.__slots__}}


def _place(text: str) -> comparing.Place | None:
    if not text:
        return None
    found = _PLACE.match(text)
    if found is None:
        raise BadPlace()
    try:
        layer, fid = (parse_integer(part, low=0, high=2**63 - 1) for part in (found[1], found[2]))
        period = date.fromisoformat(found[3]) if found[3] else None
    except (BadNumber, ValueError) as error:
        raise BadPlace() from error
    return comparing.Place(layer, fid, period)


@router.get("/changesets/{int:number}/conflicts", response=shapes.ConflictsOut, summary="What contradicts")
def conflicts(request: HttpRequest, number: int) -> dict[str, Any]:
    """Where the changeset and the one map, as it is now, changed the same part in different ways."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    listed = settling.conflicts(found, who)
    told = [conflict_out(one, met) for one, met in listed[:MOST_CONFLICTS]]
    return {"counter": found.counter, "conflicts": told, "total": len(listed)}


@router.post("/changesets/{int:number}/merge", response=shapes.MergeOut, summary="Merge with the one map")
def merge(request: HttpRequest, number: int, body: shapes.MergeIn) -> dict[str, Any]:
    """Take over what the one map has by now, wherever no conflict hinders it."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    counter, moved, waiting = settling.merge(found.pk, who, counter=body.counter)
    return {"counter": counter, "merged": moved, "conflicts": waiting}


@router.post("/changesets/{int:number}/resolve", response=shapes.CounterOut, summary="Settle conflicts")
def resolve(
    request: HttpRequest,
    number: int,
    body: shapes.ResolveIn,
    content_crs: Annotated[str | None, ninja.Header(alias="Content-Crs")] = None,
) -> dict[str, Any]:
    """Take ours, theirs or another value, for every conflict of a feature at once."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    crs = content_crs_of(content_crs)
    decisions = []
    for n, one in enumerate(body.choices, 1):
        value = one.value
        if one.part == "geometry" and one.take == "other":
            value = geometry_given(value, crs, n)
        decisions.append(
            settling.Decision(one.layer, (one.fid, one.period), one.version, one.part, one.take, value)
        )
    return {"counter": settling.resolve(found.pk, who, decisions, counter=body.counter)}


def _step(name: str, summary: str, about: str) -> None:
    """A door for one step of the table."""

    def door(request: HttpRequest, number: int, body: shapes.StepIn) -> dict[str, Any]:
        who = who_asks(request)
        found = access.changeset_of(who, number)
        reviewing.take_step(found.pk, who, name, reason=body.reason, counter=body.counter)
        return _told(who, number)

    door.__doc__, door.__name__ = about, name.replace("return", "send_back")
    router.post(f"/changesets/{{int:number}}/{name}", response=shapes.ChangesetOut, summary=summary)(door)


_step("submit", "Submit a changeset", "Hand it to review; from here on nobody edits it.")
_step("withdraw", "Withdraw a changeset", "Take it back from review; it may be edited again.")
_step("return", "Return a changeset", "Send it back to its owner, with a reason.")
_step("approve", "Approve a changeset", "Approve the content of `counter`; never one's own.")
_step("abandon", "Abandon a changeset", "End it without publication; it stays readable.")


@router.post("/changesets/{int:number}/publish", response=shapes.ChangesetOut, summary="Publish a changeset")
def publish(request: HttpRequest, number: int, body: shapes.StepIn) -> dict[str, Any]:
    """Write an approved changeset to all its layers, or to none; conflicts are named and nothing is written."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    publishing.publish(found.pk, who, reason=body.reason, counter=body.counter)
    return _told(who, number)


@router.post(
    "/changesets/{int:number}/revert", response={201: shapes.ChangesetOut}, summary="Revert a changeset"
)
def revert(request: HttpRequest, number: int, body: shapes.StepIn) -> Status[dict[str, Any]]:
    """A new changeset that undoes a published one; later changes come up as conflicts."""
    who = who_asks(request)
    found = access.changeset_of(who, number)
    made = reverting.revert(found.pk, who, reason=body.reason)
    return Status(201, _told(who, made.pk))


def _told(who: Principal, number: int) -> dict[str, Any]:
    found = access.changeset_of(who, number)
    roles = access.roles_of(who, found)
    facts = (
        "about",
        "editors",
        "approved_by",
        "approved_counter",
        "submitted_at",
        "published_at",
    )
    return {
        **_line(who, found),
        **{name: getattr(found, name) for name in facts},
        "steps": access.steps_now(who, found, roles),
        "editable": access.may_edit(found, roles),
        "reverts": found.reverts_id if _sees(who, found.reverts_id) else None,
        "log": list(found.steps.all()),
    }


def _sees(who: Principal, number: int | None) -> bool:
    return number is not None and access.visible(who).filter(pk=number).exists()


def _line(who: Principal, found: Changeset) -> dict[str, Any]:
    facts = ("title", "state", "shared", "owner", "department", "counter", "created_at", "changed_at")
    return {
        "id": found.pk,
        **{name: getattr(found, name) for name in facts},
        "mine": found.owner == who.name,
        "layers": _layers(who, found),
    }


def _layers(who: Principal, found: Changeset) -> list[dict[str, Any]]:
    """The layers touched that the caller may see; how much, where the caller sees all of them."""
    scopes = {one.layer.id: one for one in access.readable_scopes(who, found)}
    told = []
    for part in sorted(found.layers.all(), key=lambda one: one.layer_id):
        one = scopes.get(part.layer_id)
        if one is None:
            continue
        counts = {name: getattr(part, name) for name in ("inserted", "updated", "deleted")}
        told.append(
            {
                "name": one.layer.name,
                "title_zh": one.layer.title_zh,
                "title_en": one.layer.title_en,
                **(counts if one.areas is None else dict.fromkeys(counts)),
                "revision": part.revision,
            }
        )
    return told
