"""The styles of a layer in versions: drafts, what is drawn, what was."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers.actions import restyle
from layers.catalogue import LayerNotFound
from layers.models import LayerStyle
from layers.rights import Scope
from layers.styles.reading import schema
from layers.views.keepers import KEEPING, kept_scope, require_whole
from spatial.validity import Family

router = Router()
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
MOST_LISTED = 200


class StyleIn(Schema):
    """A style to be kept as a draft, and why."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    reason: Annotated[str, Field(max_length=400)] = ""


class PublishIn(Schema):
    """Which version."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Field(ge=1, lt=2**31)]


@router.get("/styles/schema", summary="The JSON schema of a style")
def style_schema(request: HttpRequest) -> dict[str, Any]:
    """What a style may hold."""
    return schema()


@router.get("/layers/{name}/styles", summary="The styles of a layer, in versions")
def styles(request: HttpRequest, name: str) -> dict[str, Any]:
    """Every version, the newest first, without its document. Needs `publish` or `admin`."""
    layer = _kept(request, name).layer
    listed = LayerStyle.objects.filter(layer_id=layer.id).order_by("name", "-number")[:MOST_LISTED]
    return {"layer": name, "versions": [_told(one) for one in listed]}


@router.get("/layers/{name}/styles/{style}/{int:number}", summary="A version of a style")
def style_version(request: HttpRequest, name: str, style: Name, number: int) -> dict[str, Any]:
    """The version with its document. Needs `publish` or `admin` on the whole layer."""
    kept = _kept(request, name)
    found = restyle.version_of(kept.layer, style, number)
    require_whole(kept)
    return {**_told(found), "document": found.document}


@router.put("/layers/{name}/styles/{style}", summary="Write a draft of a style")
def write_style(request: HttpRequest, name: str, style: Name, body: StyleIn) -> dict[str, Any]:
    """Keep a style as the draft; what is drawn stays as it is. Needs `publish` or `admin` on the whole layer."""
    kept, by = _kept(request, name), who_asks(request).name
    restyle.judge(kept.layer, body.document, {one.field.name for one in kept.fields})
    layer = require_whole(kept).layer
    return _told(restyle.write_draft(layer, style, body.document, by=by, reason=body.reason))


@router.post("/layers/{name}/styles/{style}/publish", summary="Publish a version of a style")
def publish_style(request: HttpRequest, name: str, style: Name, body: PublishIn) -> dict[str, Any]:
    """Draw the layer by this version, a draft or an earlier one. Needs `publish` or `admin` on the whole layer."""
    kept, by = _kept(request, name), who_asks(request).name
    restyle.version_of(kept.layer, style, body.number)
    return _told(restyle.publish(require_whole(kept).layer, style, body.number, by=by))


def _kept(request: HttpRequest, name: str) -> Scope:
    """The keeper's scope of a layer that can be drawn."""
    found = kept_scope(who_asks(request), name, *KEEPING)
    if found.layer.is_table or found.layer.family is Family.RASTER:
        raise LayerNotFound(layer=name)
    return found


def _told(one: LayerStyle) -> dict[str, Any]:
    return {
        "name": one.name,
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "written_by": one.written_by,
        "written_at": one.written_at,
        "published_by": one.published_by,
        "published_at": one.published_at,
    }
