"""A conflict as the API tells it: what it was, ours, theirs, by the caller's rights."""

import json
from typing import Any

import shapely
from django.conf import settings

from layers.changesets import settling
from layers.changesets.merging import EXISTENCE, GEOMETRY, Conflict
from layers.changesets.settling import Meeting
from layers.ogc import axes
from layers.rights import Scope
from spatial.crs import transformation


def conflict_out(one: Scope, met: Meeting) -> dict[str, Any]:
    """A feature with its conflicts."""
    (shown,) = settling.seen(one, [met])
    names = {field.field.column: field.field.name for field in one.fields if field.areas is None}
    parts = [
        _part(each, names, shown)
        for each in met.merged.conflicts
        if each.kind != "field" or each.part in names
    ]
    return {
        "layer": one.layer.name,
        "fid": met.draft.fid,
        "period": met.draft.period,
        "version": met.draft.version,
        "base_version": met.draft.base_version,
        "current_version": settling.current_version(one, met),
        "hidden": not (shown and parts),
        "parts": parts,
    }


def _part(each: Conflict, names: dict[str, str], shown: bool) -> dict[str, Any]:
    values: dict[str, Any] = {"base": each.base, "ours": each.ours, "theirs": each.theirs}
    if not shown or each.part == EXISTENCE:
        values = dict.fromkeys(values)
    elif each.part == GEOMETRY:
        values = {side: _geojson(shape) for side, shape in values.items()}
    return {"kind": each.kind, "part": names.get(each.part, each.part), **values}


def _geojson(shape: bytes | None) -> dict[str, Any] | None:
    """Longitude and latitude."""
    if shape is None:
        return None
    moved = shapely.transform(
        shapely.from_wkb(shape), transformation(axes.STORAGE, 4490, settings.ONEMAP_CRS_PARAMETERS).apply
    )
    found: dict[str, Any] = json.loads(shapely.to_geojson(moved))
    return found
