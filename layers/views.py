"""The JSON API of the one map: what the map page lists, what is here, and editing."""

import hashlib
import json
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import ninja
import numpy as np
import shapely
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from psycopg2 import sql
from pydantic import ConfigDict, Field

from accounts.guard import caller
from accounts.principals import Principal
from layers import catalogue, queries
from layers.actions import (
    FeatureEdit,
    FeatureMissing,
    VersionRequired,
    edit_features,
    restore_feature,
    undo_change,
)
from layers.levels import city_grid
from layers.moments import Moment
from layers.ogc import axes
from layers.queries import Statement
from layers.reads import note_read
from layers.rights import Action, Scope, scope, visible_layers
from spatial.crs import CRS84, Crs, crs_of, transformation
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_number

router = Router(tags=["layers"], auth=caller)

MOST_HITS = 50
MOST_TOLERANCE_M = 1_000.0


class BadGeometry(OnemapError):
    """What was sent is no GeoJSON geometry."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-geometry"
    message: ClassVar = "edit {number}: the geometry is no GeoJSON geometry"
    message_zh: ClassVar = "第 {number} 条编辑：几何不是有效的 GeoJSON"


class BadMatch(OnemapError):
    """If-Match holds no version."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-if-match"
    message: ClassVar = 'If-Match is the feature\'s ETag, such as "3"'
    message_zh: ClassVar = 'If-Match 应为要素的 ETag，例如 "3"'


def principal(request: HttpRequest) -> Principal:
    """Who is asking."""
    found: Principal = vars(request)["principal"]
    return found


@router.get("/map", summary="The city, its coordinate systems and its grid")
def map_facts(request: HttpRequest) -> dict[str, Any]:
    """What a map client needs before any layer."""
    grid = city_grid()
    ring = np.array(settings.ONEMAP_CITY_OUTLINE)
    moved = transformation(4490, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(ring)
    extent = [float(value) for value in (*moved.min(axis=0), *moved.max(axis=0))]
    layers = [one.layer for one in visible_layers(principal(request))]
    return {
        "title_zh": f"{settings.ONEMAP_CITY_ZH}一张图",
        "title_en": f"{settings.ONEMAP_CITY_EN} one map",
        "city": {"name_zh": settings.ONEMAP_CITY_ZH, "name_en": settings.ONEMAP_CITY_EN},
        "crs": [_crs(one) for one in axes.offered()[1:]],
        "grid": {
            "identifier": "CityGrid",
            "crs": crs_of(axes.STORAGE).code,
            "origin": [grid.origin_x, grid.origin_y],
            "size": grid.size,
            "levels": grid.levels,
            "tile_px": 512,
        },
        "view": {"center": [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2], "extent": extent},
        "demo": any(layer.demo for layer in layers),
    }


def _crs(crs: Crs) -> dict[str, Any]:
    limit = axes.storable(crs) if not crs.geographic else crs.area
    return {
        "code": crs.code,
        "proj4": crs.proj4,
        "name_zh": crs.name_zh,
        "name_en": crs.name_en,
        "extent": list(limit),
    }


@router.get("/layers", summary="The layers you may see")
def layers(request: HttpRequest) -> HttpResponse:
    """Every layer the caller may view, with the fields and actions the caller has; 304 when nothing changed."""
    scopes = visible_layers(principal(request))
    states = queries.layer_states([one.layer.id for one in scopes])
    body = json.dumps(
        {"layers": [_layer(one, states[one.layer.id]) for one in scopes]}, ensure_ascii=False, default=str
    )
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type="application/json")
    for header, value in (
        ("ETag", tag),
        ("Cache-Control", "private, no-cache"),
        ("Vary", "Authorization, Cookie"),
    ):
        response.headers[header] = value
    return response


def _layer(one: Scope, state: dict[str, Any]) -> dict[str, Any]:
    layer = one.layer
    limited = one.areas is not None
    names = {field.field.name for field in one.fields}
    # A style that speaks of a hidden field would tell its values.
    style = layer.style if layer.style.get("categories", {}).get("field") in {None, *names} else {}
    return {
        "name": layer.name,
        "title_zh": layer.title_zh,
        "title_en": layer.title_en,
        "theme": {name: getattr(layer.theme, name) for name in ("code", "title_zh", "title_en", "order")},
        "department": dict(zip(("code", "name_zh", "name_en"), layer.department, strict=True)),
        "geometry": layer.family.value,
        "actions": sorted(action.value for action in one.actions),
        "revision": state["revision"],
        "count": None if limited else state["feature_count"],
        "extent": None if limited else state["extent"],
        "first_level": json.loads(state["first_levels"]),
        "label_field": layer.label_field if layer.label_field in names else None,
        "fields": [
            {
                "name": field.field.name,
                **{part: getattr(field.field, part) for part in ("alias_zh", "alias_en", "type", "unit")},
            }
            for field in one.fields
        ],
        "style": style,
        "secrecy": layer.secrecy.value,
        "valid_time": layer.valid_time,
        "updated_at": state["changed_at"].isoformat() if state["changed_at"] else None,
        "tiles": f"/tiles/{layer.name}/CityGrid/{{z}}/{{x}}/{{y}}.mvt?v={state['revision']}",
        "visible": layer.visible,
        "order": layer.order,
    }


class Place(Schema):
    """Where, and in which layers."""

    model_config = ConfigDict(extra="forbid")

    x: str
    y: str
    crs: str = "EPSG:4547"
    tolerance: str = "0"
    layers: str = ""


@router.get("/identify", summary="What is here")
def identify(request: HttpRequest, place: Query[Place]) -> HttpResponse:
    """The features within `tolerance` metres of a point (x before y), nearest first, in the layers named (or all)."""
    crs = axes.output_crs(place.crs)
    point = np.array([[parse_number(place.x, name="x"), parse_number(place.y, name="y")]])
    tolerance = parse_number(place.tolerance, name="tolerance", low=0, high=MOST_TOLERANCE_M)
    if crs.srid != axes.STORAGE:
        point = transformation(crs.srid, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(point)
    known = catalogue.current()
    who = principal(request)
    if place.layers:
        scopes = [scope(who, name, Action.QUERY, of=known) for name in place.layers.split(",")[:50]]
    else:
        scopes = visible_layers(who, Action.QUERY, of=known)
    for one in scopes:
        note_read(who, one, "identify")
    hits = [
        hit for one in scopes for hit in _hits(one, crs, float(point[0, 0]), float(point[0, 1]), tolerance)
    ]
    order = {"point": 0, "line": 1, "polygon": 2}
    families = {one.layer.name: order[one.layer.family.value] for one in scopes}
    hits.sort(key=lambda hit: (families[hit["layer"]], hit["distance"]))
    body = json.dumps({"hits": hits[:MOST_HITS]}, ensure_ascii=False)
    response = HttpResponse(body, content_type="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _hits(one: Scope, crs: Crs, x: float, y: float, tolerance: float) -> list[dict[str, Any]]:
    spot = sql.SQL("ST_SetSRID(ST_MakePoint(%(x)s, %(y)s), {})").format(sql.Literal(axes.STORAGE))
    inner = queries.relation(
        one, Moment.today(), where=sql.SQL("ST_DWithin(geom, {}, %(tolerance)s)").format(spot)
    )
    properties, names = queries.json_properties(one.fields, "r")
    shape = sql.SQL("r.geom")
    if crs.srid != axes.STORAGE:
        shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(crs.srid))
    text = sql.SQL(queries.load_sql(queries.SQL, "identify")).format(
        properties=properties,
        shape=shape,
        digits=sql.Literal(axes.DEGREE_DIGITS if crs.geographic else axes.METRE_DIGITS),
        spot=spot,
        relation=inner.text,
        most=sql.Literal(MOST_HITS),
    )
    rows = queries.rows(Statement(text, {**inner.params, **names, "x": x, "y": y, "tolerance": tolerance}))
    return [
        {
            "layer": one.layer.name,
            "fid": fid,
            "version": version,
            "properties": json.loads(values),
            "geometry": json.loads(geometry),
            "distance": round(distance, 3),
        }
        for fid, version, values, geometry, distance in rows
    ]


class EditIn(Schema):
    """One edit. `period` and `since` are for layers with valid time."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["insert", "update", "delete"]
    fid: int | None = Field(None, ge=1, lt=2**63)
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
    found = scope(principal(request), name, Action.EDIT)
    crs = _content_crs(content_crs)
    edits = [
        FeatureEdit(
            op=one.op,
            fid=one.fid,
            version=one.version,
            geometry=_geometry(one.geometry, crs, number) if one.geometry is not None else None,
            properties=one.properties,
            period=one.period,
            since=one.since,
        )
        for number, one in enumerate(body.edits, 1)
    ]
    return _write(request, found, edits, body.reason)


@router.patch("/layers/{name}/features/{fid}", response=ChangeOut, summary="Change a feature")
def patch(
    request: HttpRequest,
    name: str,
    fid: int,
    body: PatchIn,
    if_match: Annotated[str | None, ninja.Header(alias="If-Match")] = None,
    content_crs: Annotated[str | None, ninja.Header(alias="Content-Crs")] = None,
) -> dict[str, Any]:
    """Change what is named of one feature; `If-Match` is the ETag it was read with."""
    found = scope(principal(request), name, Action.EDIT)
    version = _version(if_match)
    geometry = _geometry(body.geometry, _content_crs(content_crs), 1) if body.geometry is not None else None
    edit = FeatureEdit("update", fid, version, geometry, body.properties, body.period, body.since)
    return _write(request, found, [edit], body.reason)


@router.delete("/layers/{name}/features/{fid}", response=ChangeOut, summary="Delete a feature")
def delete(
    request: HttpRequest,
    name: str,
    fid: int,
    if_match: Annotated[str | None, ninja.Header(alias="If-Match")] = None,
    reason: Annotated[str, ninja.Query(max_length=2000)] = "",
    since: date | None = None,
) -> dict[str, Any]:
    """Delete one feature; its past stays. With `since`, a layer with valid time ends it on that day instead."""
    found = scope(principal(request), name, Action.EDIT)
    return _write(request, found, [FeatureEdit("delete", fid, _version(if_match), since=since)], reason)


@router.get("/layers/{name}/features/{fid}/history", summary="What a feature was")
def feature_history(request: HttpRequest, name: str, fid: int) -> dict[str, Any]:
    """Every version of a feature that the caller may see, oldest first; geometry in longitude, latitude."""
    found = scope(principal(request), name, Action.QUERY)
    if not 0 < fid < 2**63:
        raise FeatureMissing(layer=name, fid=fid)
    note_read(principal(request), found, "history")
    listed = queries.rows(queries.versions(found, fid))
    if not listed:
        raise FeatureMissing(layer=name, fid=fid)
    names = (
        "version",
        "revision",
        "until_revision",
        "at",
        "author",
        "reason",
        "properties",
        "geometry",
        "valid_from",
        "valid_to",
    )
    versions = [dict(zip(names, row, strict=True)) for row in listed]
    for one in versions:
        one["properties"], one["geometry"] = json.loads(one["properties"]), json.loads(one["geometry"])
    return {"layer": name, "fid": fid, "versions": versions}


class RestoreIn(Schema):
    """Which revision to go back to."""

    model_config = ConfigDict(extra="forbid")

    revision: int = Field(ge=0, lt=2**62)
    reason: str = Field("", max_length=2000)


@router.post("/layers/{name}/features/{fid}/restore", response=ChangeOut, summary="Bring back a feature")
def restore(request: HttpRequest, name: str, fid: int, body: RestoreIn) -> dict[str, Any]:
    """Make a feature what it was at a revision, as a new change. Needs `publish`."""
    found = scope(principal(request), name, Action.PUBLISH)
    written = restore_feature(found, fid, body.revision, author=principal(request).name, reason=body.reason)
    return {"revision": written.revision, "fids": written.fids, "versions": written.versions}


@router.post("/layers/{name}/undo", response=ChangeOut, summary="Undo a change")
def undo(request: HttpRequest, name: str, body: RestoreIn) -> dict[str, Any]:
    """Undo the change that made a revision, as a new change. Needs `publish`."""
    found = scope(principal(request), name, Action.PUBLISH)
    written = undo_change(found, body.revision, author=principal(request).name, reason=body.reason)
    return {"revision": written.revision, "fids": written.fids[:1000], "versions": written.versions}


def _write(request: HttpRequest, found: Scope, edits: list[FeatureEdit], reason: str) -> dict[str, Any]:
    written = edit_features(found, edits, author=principal(request).name, reason=reason)
    return {"revision": written.revision, "fids": written.fids, "versions": written.versions}


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise VersionRequired()
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadMatch()
    return int(text)


def _content_crs(text: str | None) -> Crs:
    return CRS84 if text is None else axes.output_crs(text.strip().removeprefix("<").removesuffix(">"))


def _geometry(given: dict[str, Any], crs: Crs, number: int) -> Any:
    try:
        shape = shapely.from_geojson(json.dumps(given))
    except (shapely.GEOSException, ValueError, RecursionError) as error:
        raise BadGeometry(number=number) from error
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise BadGeometry(number=number)
    return axes.geometry_in(shape, crs)
