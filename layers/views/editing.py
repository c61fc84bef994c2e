"""Editing features: many as one change, or one by its address and ETag."""

from datetime import date
from typing import Annotated, Any, Literal

import ninja
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers.actions import (
    FeatureEdit,
    edit_features,
    restore_feature,
    undo_change,
)
from layers.fids import Fid
from layers.ogc.bodies import content_crs_of, geometry_given, version_matched
from layers.rights import Action, Scope, scope

router = Router()


class EditIn(Schema):
    """One edit. `period` and `since` are for layers with valid time."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["insert", "update", "delete"]
    fid: Fid | None = None
    version: int | None = Field(None, ge=1, lt=2**31)
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = {}
    period: date | None = None
    since: date | None = None


class ChangeIn(Schema):
    """Edits that belong together, with the reason for them."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)
    edits: list[EditIn] = Field(min_length=1, max_length=2000)


class ChangeOut(Schema):
    """What the change became."""

    revision: int
    fids: list[int]
    versions: list[int]


class PatchIn(Schema):
    """A change of one feature; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=2000)
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = {}
    period: date | None = None
    since: date | None = None


@router.post("/layers/{name}/changes", response=ChangeOut, summary="Edit features")
def change(
    request: HttpRequest,
    name: str,
    body: ChangeIn,
    content_crs: Annotated[str | None, ninja.Header(alias="Content-Crs")] = None,
) -> dict[str, Any]:
    """Apply all edits or none, as one change. Geometries are in `Content-Crs` (CRS84 if not given)."""
    found = scope(who_asks(request), name, Action.EDIT)
    crs = content_crs_of(content_crs)
    edits = [
        FeatureEdit(
            op=one.op,
            fid=one.fid,
            version=one.version,
            geometry=geometry_given(one.geometry, crs, number) if one.geometry is not None else None,
            properties=one.properties,
            period=one.period,
            since=one.since,
        )
        for number, one in enumerate(body.edits, 1)
    ]
    return _write(request, found, edits, body.reason)


@router.patch("/layers/{name}/features/{fid:fid}", response=ChangeOut, summary="Change a feature")
def patch(
    request: HttpRequest,
    name: str,
    fid: int,
    body: PatchIn,
    if_match: Annotated[str | None, ninja.Header(alias="If-Match")] = None,
    content_crs: Annotated[str | None, ninja.Header(alias="Content-Crs")] = None,
) -> dict[str, Any]:
    """Change what is named of one feature; `If-Match` is the ETag it was read with."""
    found = scope(who_asks(request), name, Action.EDIT)
    version = version_matched(if_match)
    geometry = (
        geometry_given(body.geometry, content_crs_of(content_crs), 1) if body.geometry is not None else None
    )
    edit = FeatureEdit("update", fid, version, geometry, body.properties, body.period, body.since)
    return _write(request, found, [edit], body.reason)


@router.delete("/layers/{name}/features/{fid:fid}", response=ChangeOut, summary="Delete a feature")
def delete(
    request: HttpRequest,
    name: str,
    fid: int,
    if_match: Annotated[str | None, ninja.Header(alias="If-Match")] = None,
    reason: Annotated[str, ninja.Query(max_length=2000)] = "",
    since: date | None = None,
) -> dict[str, Any]:
    """Delete one feature; its past stays. With `since`, a layer with valid time ends it on that day instead."""
    found = scope(who_asks(request), name, Action.EDIT)
    return _write(
        request, found, [FeatureEdit("delete", fid, version_matched(if_match), since=since)], reason
    )


class RestoreIn(Schema):
    """Which revision to go back to."""

    model_config = ConfigDict(extra="forbid")

    revision: int = Field(ge=0, lt=2**62)
    reason: str = Field("", max_length=2000)


@router.post("/layers/{name}/features/{fid:fid}/restore", response=ChangeOut, summary="Bring back a feature")
def restore(request: HttpRequest, name: str, fid: int, body: RestoreIn) -> dict[str, Any]:
    """Make a feature what it was at a revision, as a new change. Needs `publish`."""
    found = scope(who_asks(request), name, Action.PUBLISH)
    written = restore_feature(found, fid, body.revision, author=who_asks(request).name, reason=body.reason)
    return {"revision": written.revision, "fids": written.fids, "versions": written.versions}


@router.post("/layers/{name}/undo", response=ChangeOut, summary="Undo a change")
def undo(request: HttpRequest, name: str, body: RestoreIn) -> dict[str, Any]:
    """Undo the change that made a revision, as a new change. Needs `publish`."""
    found = scope(who_asks(request), name, Action.PUBLISH)
    written = undo_change(found, body.revision, author=who_asks(request).name, reason=body.reason)
    return {"revision": written.revision, "fids": written.fids[:1000], "versions": written.versions}


def _write(request: HttpRequest, found: Scope, edits: list[FeatureEdit], reason: str) -> dict[str, Any]:
    written = edit_features(found, edits, author=who_asks(request).name, reason=reason)
    return {"revision": written.revision, "fids": written.fids, "versions": written.versions}
