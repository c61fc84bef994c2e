"""The catalogue for departments: which layers there are, their fields, addresses and downloads."""

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import catalogue, queries, raster_pages
from layers.exchange.exports import MEDIA, UnknownExport, count_of, export, suffixes_for
from layers.models import Lineage
from layers.ogc import axes
from layers.ogc.features_api.documents import base_url
from layers.rights import Action, Scope, scope, visible_layers
from process import audit
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError

MOST_AT_ONCE = 50_000


class TooLargeAtOnce(OnemapError):
    """A file that takes longer than a browser waits."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "ask-for-an-export"
    message: ClassVar = "more than {limit} features; ask for an export: POST /api/layers/{layer}/exports"
    message_zh: ClassVar = "超过 {limit} 个要素；请申请导出任务：POST /api/layers/{layer}/exports"


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Language, Authorization, Cookie"
    return response


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """GET /catalogue/: the layers this reader may see; `q` searches names and titles."""
    wanted = request.GET.get("q", "").strip()[:100]
    scopes = [one for one in visible_layers(who_asks(request)) if _matches(one, wanted.lower())]
    states = queries.layer_states([one.layer.id for one in scopes])
    cards: list[dict[str, Any]] = [
        {"scope": one, "layer": one.layer, "state": states[one.layer.id]} for one in scopes
    ]
    cards += [card for card in raster_pages.cards(request) if _matches(card["scope"], wanted.lower())]
    cards.sort(key=lambda card: (card["layer"].theme.order, card["layer"].order, card["layer"].name))
    return _private(render(request, "catalogue/index.html", {"cards": cards, "wanted": wanted}))


def _matches(one: Scope, wanted: str) -> bool:
    layer = one.layer
    words = (
        layer.name,
        layer.title_zh,
        layer.title_en,
        layer.abstract_zh,
        *layer.department,
        layer.theme.title_zh,
        layer.theme.title_en,
    )
    return wanted in "\n".join(words).lower()


@require_safe
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """GET /catalogue/NAME/: metadata, fields, addresses, downloads."""
    if name in catalogue.current().rasters:
        return _private(raster_pages.detail(request, name))
    found = scope(who_asks(request), name, Action.VIEW)
    state = queries.layer_states([found.layer.id])[found.layer.id]
    limited = found.areas is not None
    context: dict[str, Any] = {
        "scope": found,
        "layer": found.layer,
        "state": state,
        "limited": limited,
        "root": base_url(request),
        "crs": axes.offered(),
        "storage": crs_of(axes.STORAGE),
        "extent": axes.extent_out(state["extent"], crs_of(4490)) if state["extent"] and not limited else None,
        "grids": sorted(json.loads(state["first_levels"]).items()),
        "lineage": Lineage.objects.filter(layer_id=found.layer.id)[:10] if not limited else [],
        "joined": _joined(request, found),
        "metadata": raster_pages.approved_metadata(found),
        "can_query": Action.QUERY in found.actions,
        "can_download": Action.DOWNLOAD in found.actions,
        "suffixes": suffixes_for(found),
    }
    return _private(render(request, "catalogue/detail.html", context))


def _joined(request: HttpRequest, found: Scope) -> str | None:
    """The layer that a table joins, where this reader may know of it."""
    visible = {one.layer.name for one in visible_layers(who_asks(request))} if found.layer.join else set()
    return found.layer.join.layer if found.layer.join and found.layer.join.layer in visible else None


@require_safe
def download(request: HttpRequest, name: str, suffix: str) -> FileResponse:
    """GET /catalogue/NAME/download.geojson, .gpkg and the other formats: what this caller may download."""
    if name in catalogue.current().rasters:
        return raster_pages.download(request, name, suffix)
    found = scope(who_asks(request), name, Action.DOWNLOAD)
    if suffix not in MEDIA:
        raise UnknownExport(offered=" ".join(MEDIA))
    crs = crs_of(4326 if suffix == ".geojson" else axes.STORAGE)
    if count_of(found, None, crs, MOST_AT_ONCE) is None:
        raise TooLargeAtOnce(limit=MOST_AT_ONCE, layer=name)
    folder = settings.ONEMAP_VAR / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / f"{name}{suffix}"
        count = export(found, path, crs=axes.file_crs(crs, path))
        file = path.open("rb")  # stays readable after the folder is gone
    audit.record(who_asks(request).name, "layer.download", "layer", name, features=count, format=suffix)
    response = FileResponse(file, as_attachment=True, filename=f"{name}{suffix}", content_type=MEDIA[suffix])
    response.headers["Cache-Control"] = "private, no-store"
    return response
