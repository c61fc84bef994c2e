"""The quality of layers: what the self-check found, for those who keep them."""

from typing import Annotated, Any, ClassVar

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.models import Department
from accounts.principals import who_asks
from layers.exchange.kinds import named
from layers.exchange.quality import running
from layers.models import Layer, QualityFinding, QualityRun
from layers.views.keepers import KEEPING, kept_layers, kept_scope
from spatial.errors import Kind, OnemapError

router = Router()

PAGE = 50
MOST_RUNS = 30
Offset = Annotated[int, Query(ge=0, lt=2**31)]
Word = Annotated[str, Query(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]  # of codes and names


class FindingNotFound(OnemapError):
    """There is no such open finding for this caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "finding-not-found"
    message: ClassVar = "there is no such open finding"
    message_zh: ClassVar = "没有该未关闭的质量问题"


class SetAsideIn(Schema):
    """Why a finding may stand."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


@router.get("/quality", summary="What the self-check found")
def quality(
    request: HttpRequest,
    department: Word = "",
    layer: Word = "",
    code: Word = "",
    aside: bool = False,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Open findings of the layers you keep, fifty at a time, and how many each department has.

    With `aside`, those that were set aside instead.
    """
    kept = {one.layer.id: one for one in kept_layers(who_asks(request))}
    standing = _open(kept, aside=aside)
    listed = standing
    if department:
        listed = listed.filter(layer__department__code=department)
    if layer:
        listed = listed.filter(layer__name=layer)
    if code:
        listed = listed.filter(code=code)
    return {
        "findings": [
            _finding(one) for one in listed.order_by("layer__name", "code", "pk")[offset : offset + PAGE]
        ],
        "total": listed.count(),
        "departments": _departments(standing),
        "layers": _by(standing, "layer__name"),
        **_kinds(listed),
    }


def _open(kept: Any, *, aside: bool) -> "QuerySet[QualityFinding]":
    found = QualityFinding.objects.select_related("layer__department").filter(
        layer_id__in=list(kept), closed_at=None
    )
    return found.exclude(set_aside_by="") if aside else found.filter(set_aside_by="")


def _departments(standing: "QuerySet[QualityFinding]") -> list[dict[str, Any]]:
    counts = _by(standing, "layer__department")
    offices = Department.objects.in_bulk(list(counts))
    return [
        {
            "code": offices[key].code,
            "name_zh": offices[key].name_zh,
            "name_en": offices[key].name_en,
            "open": counts[key],
        }
        for key in sorted(counts, key=lambda key: offices[key].code)
    ]


def _kinds(listed: "QuerySet[QualityFinding]") -> dict[str, Any]:
    """How many findings are of each kind, and what the kinds are called."""
    counts = _by(listed, "code")
    return {"codes": counts, "kinds": {code: named(code) for code in counts}}


def _by(found: "QuerySet[QualityFinding]", name: str) -> dict[Any, int]:
    return dict(found.order_by().values_list(name).annotate(count=Count("pk")))


def _finding(one: QualityFinding) -> dict[str, Any]:
    office = one.layer.department
    names = ("id", "code", "level", "message", "message_zh", "fids", "facts", "place", "found_at", "seen_at")
    return {
        **{name: getattr(one, name) for name in names},
        "layer": one.layer.name,
        "layer_title_zh": one.layer.title_zh,
        "layer_title_en": one.layer.title_en,
        "department": {"code": office.code, "name_zh": office.name_zh, "name_en": office.name_en},
        "set_aside": {"by": one.set_aside_by, "reason": one.reason} if one.set_aside_by else None,
    }


@router.get("/layers/{name}/quality", summary="The quality of a layer")
def of_layer(request: HttpRequest, name: str, aside: bool = False, offset: Offset = 0) -> dict[str, Any]:
    """The last checks and the open findings, fifty at a time. Needs `publish` or `admin` on the whole layer."""
    found = kept_scope(who_asks(request), name, *KEEPING)
    whole = [found.layer.id] if found.unlimited else []
    listed = _open(whole, aside=aside)
    return {
        "layer": name,
        "limited": not found.unlimited,  # what lies beyond the caller's own fields or area is not told
        "checks": found.layer.checks if found.unlimited else {},
        "runs": [_run(one) for one in QualityRun.objects.filter(layer_id__in=whole)[:MOST_RUNS]],
        "findings": [_finding(one) for one in listed.order_by("code", "pk")[offset : offset + PAGE]],
        "total": listed.count(),
        **_kinds(listed),
    }


def _run(one: QualityRun) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("at", "revision", "checked", "counts")}


@router.post("/layers/{name}/quality/run", summary="Check a layer now")
def run(request: HttpRequest, name: str) -> dict[str, Any]:
    """Let the layer be checked as soon as a worker is free. Needs `publish` or `admin`."""
    who = who_asks(request)
    found = kept_scope(who, name, *KEEPING)
    return {"job": running.enqueue(Layer.objects.get(pk=found.layer.id), who.name).pk}


@router.post("/quality/{int:number}/set-aside", summary="Let a finding stand")
def set_aside(request: HttpRequest, number: int, body: SetAsideIn) -> dict[str, Any]:
    """Take a finding off the open list, for a reason; it stays so when it is found again."""
    who = who_asks(request)
    one = (
        QualityFinding.objects.select_related("layer__department").filter(pk=number, closed_at=None).first()
        if number < 2**63
        else None
    )
    if one is None or one.layer_id not in {kept.layer.id for kept in kept_layers(who)}:
        raise FindingNotFound()
    running.set_aside(one, by=who.name, reason=body.reason)
    return _finding(one)
