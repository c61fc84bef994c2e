"""Keeping a layer: its facts and metadata, its changes, taking it away and bringing it back."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Field

from accounts.clearance import Clearance
from accounts.principals import Principal, who_asks
from layers.actions import delete_layer, metadata, restore_layer
from layers.actions.shelf import KEPT, NotOnShelf
from layers.exchange import indexing
from layers.models import Change, Layer
from layers.ogc.features_api.documents import base_url
from layers.rights import Action, may_everywhere, may_still
from layers.views import describing
from layers.views.keepers import KEEPING, kept_scope, require_whole
from process.models import AuditRecord

router = Router()

PAGE = 50
MOST_TOLD = 2**62


class MetadataIn(Schema):
    """A record of metadata, without what the data fill in themselves."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    seen: AwareDatetime | None = None  # `written_at` of the draft, else the approved version, that was read


class IndexIn(Schema):
    """Which fields."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=10)]


class ApproveIn(Schema):
    """Which version."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Field(ge=1, lt=2**31)]


@router.get("/layers/{name}/about", summary="Everything about a layer")
def about(request: HttpRequest, name: str) -> dict[str, Any]:
    """Facts, lineage and metadata of a layer, a table or a raster. Needs `publish` or `admin`."""
    found = kept_scope(who_asks(request), name, *KEEPING)
    told = describing.metadata_of(found, base_url(request))
    told["begun"] = metadata.begun(describing.row_of(found))
    told["topics"] = metadata.TOPICS
    return {**describing.facts_of(found), "metadata": told}


@router.put("/layers/{name}/metadata", summary="Write a draft of the metadata")
def write_metadata(request: HttpRequest, name: str, body: MetadataIn) -> dict[str, Any]:
    """Keep a record as the draft; what was approved stays as it is. Needs `publish` or `admin` on the whole layer."""
    who = who_asks(request)
    found = kept_scope(who, name, *KEEPING)
    record = metadata.judge(body.document)
    number = require_whole(found).layer.id
    return describing.version(metadata.write_draft(number, record, by=who.name, seen=body.seen))


@router.post("/layers/{name}/metadata/approve", summary="Approve a draft of the metadata")
def approve_metadata(request: HttpRequest, name: str, body: ApproveIn) -> dict[str, Any]:
    """Make a draft the layer's metadata. Needs `publish` or `admin` on the whole layer."""
    who = who_asks(request)
    found = kept_scope(who, name, *KEEPING)
    metadata.version_of(found.layer.id, body.number)
    return describing.version(metadata.approve(require_whole(found).layer.id, body.number, by=who.name))


@router.post("/layers/{name}/indexes", response={202: dict[str, Any]}, summary="Let clients sort by fields")
def index_fields(request: HttpRequest, name: str, body: IndexIn) -> Status[dict[str, Any]]:
    """Make indexes in a job; then the fields are among the sortables. Needs `publish` or `admin` on the whole layer."""
    who = who_asks(request)
    found = kept_scope(who, name, *KEEPING)
    for field in body.fields:
        found.field(field)  # what the caller does not see is not there, whatever else is asked
    return Status(202, {"job": indexing.ask(require_whole(found).layer, body.fields, by=who.name).pk})


@router.get("/layers/{name}/revisions", summary="The changes of a layer, newest first")
def revisions(
    request: HttpRequest, name: str, before: Annotated[int, Query(ge=1, le=MOST_TOLD)] = MOST_TOLD
) -> dict[str, Any]:
    """Fifty changes before revision `before`; `next` is the `before` of the next page.

    To who keeps a part of the layer alone, counts, authors and reasons are not told.
    """
    found = kept_scope(who_asks(request), name, *KEEPING)
    listed = Change.objects.filter(layer_id=found.layer.id, revision__lt=before).order_by("-revision")
    shown = list(listed[: PAGE + 1])
    return {
        "revisions": [_change(one, whole=found.unlimited) for one in shown[:PAGE]],
        "next": shown[PAGE - 1].revision if len(shown) > PAGE else None,
    }


def _change(one: Change, *, whole: bool) -> dict[str, Any]:
    counts = {name: getattr(one, name) if whole else None for name in ("inserted", "updated", "deleted")}
    return {
        **{name: getattr(one, name) for name in ("revision", "at", "kind")},
        "author": one.author if whole else None,
        "reason": one.reason if whole else None,
        "counts": counts,
    }


@router.delete("/layers/{name}", summary="Take a layer away")
def delete(request: HttpRequest, name: str) -> dict[str, Any]:
    """Hide a layer from every door; it can be brought back for thirty days. Needs `admin` on the whole layer."""
    who = who_asks(request)
    found = require_whole(kept_scope(who, name, Action.ADMIN))
    delete_layer(describing.row_of(found), by=who.name)
    return {"layer": name, "until": timezone.now() + KEPT}


@router.post("/layers/{name}/restore", summary="Bring a deleted layer back")
def restore(request: HttpRequest, name: str) -> dict[str, Any]:
    """Bring a layer back as it was. Needs `admin` on it, or `publish` on every layer."""
    who = who_asks(request)
    if not any(one.name == name for one in _shelf(who)):
        raise NotOnShelf(layer=name)
    return {"layer": restore_layer(name, by=who.name).name}


@router.get("/shelf", summary="Layers that can be brought back")
def shelf(request: HttpRequest, offset: Annotated[int, Query(ge=0, lt=2**31)] = 0) -> dict[str, Any]:
    """The layers deleted within thirty days that you may bring back, the latest first, fifty at a time."""
    found = _shelf(who_asks(request))
    return {"layers": [_shelved(one) for one in found[offset : offset + PAGE]], "total": len(found)}


def _shelf(who: Principal) -> list[Layer]:
    listed = Layer.objects.select_related("department").filter(deleted_at__gt=timezone.now() - KEPT)
    everywhere = may_everywhere(who, Action.PUBLISH)
    return [
        one
        for one in listed.order_by("-deleted_at")
        if (everywhere and who.clearance >= Clearance(one.secrecy))
        or may_still(who, one.pk, one.theme_id, Clearance(one.secrecy), Action.ADMIN)
    ]


def _shelved(one: Layer) -> dict[str, Any]:
    deed = AuditRecord.objects.filter(action="layer.delete", object_type="layer", object_name=one.name)
    last = deed.order_by("-at").first()
    office = one.department
    return {
        **{name: getattr(one, name) for name in ("name", "title_zh", "title_en", "family", "deleted_at")},
        "department": {"code": office.code, "name_zh": office.name_zh, "name_en": office.name_en},
        "deleted_by": last.actor if last else None,
        "until": one.deleted_at + KEPT if one.deleted_at else None,
    }
