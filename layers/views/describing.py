"""What is told of a layer: its facts, and the parts of its metadata that the data fill in themselves."""

import json
from typing import Any

from layers import queries
from layers.catalogue import FieldInfo
from layers.models import Layer, Lineage, MetadataVersion, QualityRun
from layers.ogc import axes
from layers.rights import Scope
from spatial.crs import crs_of
from spatial.validity import Family

LON_LAT = 4490
MOST_LINEAGE = 20
State = MetadataVersion.State


def facts_of(found: Scope) -> dict[str, Any]:
    """A layer as who keeps it sees it; what lies beyond the scope's fields or area is left out."""
    layer, whole = found.layer, found.unlimited
    state = queries.layer_states([layer.id])[layer.id]
    names = ("name", "title_zh", "title_en", "abstract_zh", "abstract_en", "valid_time", "update_days")
    return {
        **{name: getattr(layer, name) for name in names},
        "theme": {name: getattr(layer.theme, name) for name in ("code", "title_zh", "title_en")},
        "department": dict(zip(("code", "name_zh", "name_en"), layer.department, strict=True)),
        "family": layer.family.value,
        "secrecy": layer.secrecy.value,
        "actions": sorted(action.value for action in found.actions),
        "limited": not whole,
        "key_field": _shown(found, layer.key_field),
        "label_field": _shown(found, layer.label_field),
        "joins": {"layer": layer.joins, "field": layer.join_field} if layer.joins and whole else None,
        "checks": layer.checks if whole else {},
        "fields": [_field(one.field) for one in found.fields],
        "revision": state["revision"],
        "changed_at": state["changed_at"],
        "counts": {"features": state["feature_count"] if whole else None},
        "extent": _extent(state["extent"]) if whole else None,
        "lineage": _lineage(layer.id) if whole else [],
    }


def _shown(found: Scope, name: str) -> str | None:
    return name if name in {one.field.name for one in found.fields} else None


def _extent(extent: list[float] | None) -> list[float] | None:
    return axes.extent_out(extent, crs_of(LON_LAT)) if extent else None


def _field(info: FieldInfo) -> dict[str, Any]:
    parts = ("name", "alias_zh", "alias_en", "type", "unit", "required", "minimum", "maximum", "max_length")
    return {**{part: getattr(info, part) for part in parts}, "code_list": info.code_list}


def _lineage(layer_id: int) -> list[dict[str, Any]]:
    names = ("at", "revision", "mode", "source_name", "sha256", "driver", "source_crs", "encoding", "report")
    return list(Lineage.objects.filter(layer_id=layer_id).order_by("-at").values(*names)[:MOST_LINEAGE])


def metadata_of(found: Scope, root: str) -> dict[str, Any]:
    """The layer's metadata: the approved version, the draft, all versions, and what the data say themselves."""
    versions = list(MetadataVersion.objects.filter(layer_id=found.layer.id).order_by("-number"))
    by_state = {one.state: one for one in reversed(versions)}
    approved, draft = by_state.get(State.APPROVED), by_state.get(State.DRAFT)
    return {
        "approved": version(approved) if approved else None,
        "draft": version(draft) if draft else None,
        "versions": [_line(one) for one in versions],
        "automatic": automatic(found, root),
    }


def version(one: MetadataVersion) -> dict[str, Any]:
    """One version with its record."""
    return {**_line(one), "document": one.document}


def _line(one: MetadataVersion) -> dict[str, Any]:
    names = ("number", "state", "revision", "written_by", "written_at", "approved_by", "approved_at")
    return {name: getattr(one, name) for name in names}


def automatic(found: Scope, root: str) -> dict[str, Any]:
    """What is never typed: read from the data each time.

    Parameters
    ----------
    root
        The platform's own address, before every service address.
    """
    layer, whole = found.layer, found.unlimited
    state = queries.layer_states([layer.id])[layer.id]
    crs = crs_of(axes.STORAGE)
    placed = not layer.is_table
    return {
        "identifier": layer.name,
        "crs": {"code": crs.code, "name_zh": crs.name_zh, "name_en": crs.name_en} if placed else None,
        "extent": _extent(state["extent"]) if whole else None,
        "spatial_type": layer.family.value,
        "secrecy": layer.secrecy.value,
        "features": state["feature_count"] if whole else None,
        "revision": state["revision"],
        "changed_at": state["changed_at"],
        "dictionary": [_field(one.field) for one in found.fields],
        "quality": _quality(layer.id) if whole else None,
        "services": _services(found, root, json.loads(state["first_levels"])),
        "deliveries": _lineage(layer.id)[:5] if whole else [],
    }


def _quality(layer_id: int) -> dict[str, Any] | None:
    last = QualityRun.objects.filter(layer_id=layer_id).order_by("-at").first()
    if last is None:
        return None
    return {"at": last.at, "revision": last.revision, "checked": last.checked, "open": last.counts}


def _services(found: Scope, root: str, levels: dict[str, int]) -> list[dict[str, str]]:
    name = found.layer.name
    if found.layer.family is Family.RASTER:
        return [{"kind": "raster values", "url": f"{root}/api/rasters/{name}"}]
    listed = [{"kind": "OGC API Features", "url": f"{root}/ogc/collections/{name}/items"}]
    listed += [
        {"kind": f"vector tiles {grid}", "url": f"{root}/tiles/{name}/{grid}/{{z}}/{{x}}/{{y}}.mvt"}
        for grid in sorted(levels)
    ]
    return listed


def row_of(found: Scope) -> Layer:
    """The layer's row in the catalogue."""
    return Layer.objects.select_related("department", "theme").get(pk=found.layer.id)
