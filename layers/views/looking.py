"""What the map page lists, what is here, and what a feature was."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import ConfigDict

from accounts.principals import who_asks
from layers import catalogue, queries
from layers.actions import (
    FeatureMissing,
)
from layers.catalogue import FieldInfo, LayerInfo
from layers.changesets import access
from layers.identifying import features_at
from layers.levels import city_grid
from layers.moments import Moment
from layers.ogc import axes
from layers.ogc.features_api.parameters import known_only, single
from layers.reads import note_read
from layers.rights import Action, Scope, scope, visible_layers
from layers.styles.showing import drawn_style, shown_style
from spatial.crs import Crs, crs_of, transformation
from spatial.numbers import parse_number

router = Router()

MOST_HITS = 50
MOST_TOLERANCE_M = 1_000.0


@router.get("/map", summary="The city, its coordinate systems and its grid")
def map_facts(request: HttpRequest) -> dict[str, Any]:
    """What a map client needs before any layer."""
    grid = city_grid()
    ring = np.array(settings.ONEMAP_CITY_OUTLINE)
    moved = transformation(4490, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(ring)
    extent = [float(value) for value in (*moved.min(axis=0), *moved.max(axis=0))]
    layers = [one.layer for one in visible_layers(who_asks(request))]
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
    scopes = visible_layers(who_asks(request))
    states = queries.layer_states([one.layer.id for one in scopes])
    known = {one.layer.name for one in scopes}
    listed = [_layer(one, states[one.layer.id], known) for one in scopes]
    body = json.dumps({"layers": listed}, ensure_ascii=False, default=str)
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


def _layer(one: Scope, state: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """One layer; `known` are the names of those that the caller may see."""
    layer = one.layer
    limited = one.areas is not None
    names = {field.field.name for field in one.fields}
    style = drawn_style(shown_style(layer.style, layer.family, names))
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
        "overview": state["overview"] is not None,
        "label_field": layer.label_field if layer.label_field in names else None,
        "fields": [_field(field.field) for field in one.fields],
        "joins": _join(layer, names, known),
        "style": style.model_dump(mode="json"),
        "secrecy": layer.secrecy.value,
        "valid_time": layer.valid_time,
        "updated_at": state["changed_at"].isoformat() if state["changed_at"] else None,
        "update_days": layer.update_days,
        "tiles": None
        if layer.is_table
        else f"/tiles/{layer.name}/CityGrid/{{z}}/{{x}}/{{y}}.mvt?v={_data_version(state)}",
        "visible": layer.visible,
        "order": layer.order,
    }


def _data_version(state: dict[str, Any]) -> str:
    """The `v` of tile addresses: another one once the overviews, too, show a change."""
    return f"{state['revision']}" if state["overview"] is None else f"{state['revision']}-{state['overview']}"


def _field(info: FieldInfo) -> dict[str, Any]:
    """A field; one with a code list says which, and what may be chosen."""
    told: dict[str, Any] = {
        part: getattr(info, part) for part in ("name", "alias_zh", "alias_en", "type", "unit")
    }
    if info.codes is not None:
        told |= {"code_list": info.code_list, "codes": info.codes}
    return told


def _join(layer: LayerInfo, names: set[str], known: set[str]) -> dict[str, str] | None:
    """Which layer a table joins, where the caller may see that layer and both fields."""
    if layer.join is None or layer.join.layer not in known or layer.join_field not in names:
        return None
    return {"layer": layer.join.layer, "field": layer.join_field}


class Place(Schema):
    """Where, and in which layers."""

    model_config = ConfigDict(extra="forbid")

    x: str
    y: str
    crs: str = "EPSG:4547"
    tolerance: str = "0"
    layers: str = ""
    changeset: str | None = None


@router.get("/identify", summary="What is here")
def identify(request: HttpRequest, place: Query[Place]) -> HttpResponse:
    """The features within `tolerance` metres of a point (x before y), nearest first, in the layers named (or all)."""
    known_only(single(request.GET), set(Place.model_fields))
    crs = axes.output_crs(place.crs)
    point = np.array([[parse_number(place.x, name="x"), parse_number(place.y, name="y")]])
    tolerance = parse_number(place.tolerance, name="tolerance", low=0, high=MOST_TOLERANCE_M)
    if crs.srid != axes.STORAGE:
        point = transformation(crs.srid, axes.STORAGE, settings.ONEMAP_CRS_PARAMETERS).apply(point)
    known = catalogue.current()
    who = who_asks(request)
    if place.layers:
        scopes = [scope(who, name, Action.QUERY, of=known) for name in place.layers.split(",")[:50]]
    else:
        scopes = visible_layers(who, Action.QUERY, of=known)
    overlay = access.asked(who, place.changeset)
    moment = replace(Moment.today(), changeset=overlay.id if overlay else None)
    for one in scopes:
        note_read(who, one, "identify")
    hits = [
        hit
        for one in scopes
        if not one.layer.is_table  # its rows lie nowhere
        for hit in features_at(
            one, moment, crs, (float(point[0, 0]), float(point[0, 1])), tolerance, MOST_HITS
        )
    ]
    order = {"point": 0, "line": 1, "polygon": 2, "table": 3}
    families = {one.layer.name: order[one.layer.family.value] for one in scopes}
    hits.sort(key=lambda hit: (families[hit["layer"]], hit["distance"]))
    body = json.dumps({"hits": hits[:MOST_HITS]}, ensure_ascii=False)
    response = HttpResponse(body, content_type="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@router.get("/layers/{name}/features/{fid:fid}/history", summary="What a feature was")
def feature_history(request: HttpRequest, name: str, fid: int) -> dict[str, Any]:
    """Every version of a feature that the caller may see, oldest first; geometry in longitude, latitude."""
    found = scope(who_asks(request), name, Action.QUERY)
    note_read(who_asks(request), found, "history")
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
        one["properties"], one["geometry"] = (
            json.loads(one["properties"]),
            json.loads(one["geometry"] or "null"),
        )
    return {"layer": name, "fid": fid, "versions": versions}


MOST_RELATED = 200


@router.get("/layers/{name}/features/{fid:fid}/related", summary="What the tables say of a feature")
def related(request: HttpRequest, name: str, fid: int) -> dict[str, Any]:
    """The rows that speak of a feature, of each table that joins its layer, by the caller's right on the table."""
    known, who = catalogue.current(), who_asks(request)
    found = scope(who, name, Action.QUERY, of=known)
    there, key = queries.key_of(found, fid, Moment.today())
    if not there:
        raise FeatureMissing(layer=name, fid=fid)
    note_read(who, found, "related")
    scopes = visible_layers(who, Action.QUERY, of=known)
    joining = [one for one in scopes if one.layer.join is not None and one.layer.join.layer == name]
    tables = [_related(request, one, key) for one in joining] if key is not None else []
    return {"layer": name, "fid": fid, "tables": [one for one in tables if one["rows"]]}


def _related(request: HttpRequest, one: Scope, key: str) -> dict[str, Any]:
    note_read(who_asks(request), one, "related")
    listed = queries.joined_rows(one, key, MOST_RELATED)
    return {
        "layer": one.layer.name,
        "title_zh": one.layer.title_zh,
        "title_en": one.layer.title_en,
        "join_field": one.layer.join_field,
        "rows": [
            {"fid": fid, "version": version, "properties": properties}
            for fid, version, properties in listed[:MOST_RELATED]
        ],
        "more": len(listed) > MOST_RELATED,
    }
