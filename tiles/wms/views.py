"""/services/wms."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import catalogue, queries
from layers.moments import Moment, parse_moment
from layers.ogc import axes
from layers.ogc.features_api.documents import base_url, words
from layers.ogc.features_api.parameters import BadFormat
from layers.reads import note_read
from layers.rights import Action, Scope, scope, visible_layers
from tiles import gate, legends
from tiles.kvp import Kvp, UnknownOperation
from tiles.reports import NO_XML
from tiles.wms import asking, info

CAPABILITIES = {"1.1.1": "application/vnd.ogc.wms_xml", "1.3.0": "text/xml; charset=utf-8"}


@require_safe
def wms(request: HttpRequest) -> HttpResponse:
    """One address for all operations."""
    kvp = Kvp(request.GET)
    found = OPERATIONS.get(kvp.need("REQUEST").lower())
    if found is None or kvp.get("SERVICE", "WMS").upper() != "WMS":
        raise UnknownOperation(offered="GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic")
    response = found(request, kvp)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["Vary"] = "Authorization, Cookie, Accept-Language"
    return response


def capabilities(request: HttpRequest, kvp: Kvp) -> HttpResponse:
    """GetCapabilities: what the caller may see, and nothing else."""
    version = asking.version_of(kvp)
    scopes = [one for one in visible_layers(who_asks(request)) if not one.layer.is_table]
    states = queries.layer_states([one.layer.id for one in scopes])
    told = {
        "url": f"{base_url(request)}/services/wms",
        "formats": list(dict.fromkeys(asking.FORMATS.values())),
        "info_formats": asking.INFO_FORMATS,
        "crs": [f"EPSG:{crs.srid}" for crs in axes.offered()[1:]]
        + (["CRS:84"] if version == "1.3.0" else []),
        "layers": [_layer(request, one, states[one.layer.id]) for one in scopes],
        "most_side": asking.MOST_SIDE,
        "most_layers": asking.MOST_LAYERS,
    }
    text = NO_XML.sub("\ufffd", render_to_string(f"wms/capabilities_{version}.xml", told))
    return HttpResponse(text, content_type=CAPABILITIES[version])


def _layer(request: HttpRequest, one: Scope, state: dict[str, Any]) -> dict[str, Any]:
    layer = one.layer
    told: dict[str, Any] = {
        "name": layer.name,
        "title": words(request, layer.title_zh, layer.title_en),
        "abstract": words(request, layer.abstract_zh, layer.abstract_en),
        "queryable": "1" if Action.QUERY in one.actions else "0",
        "time": str(Moment.today().valid_from) if layer.valid_time else None,
        "boxes": [],
    }
    extent = gate.extent_of(one, state["extent"])
    if extent:
        told["geographic"] = axes.extent_out(extent, axes.output_crs(None))
        told["boxes"] = [_box(crs, extent) for crs in axes.offered()[1:]]
    return told


def _box(crs: Any, extent: Sequence[float]) -> dict[str, Any]:
    """The extent in a CRS: `plain` east first, `ordered` in the CRS's own order."""
    plain = axes.extent_out(extent, crs)
    ordered = [plain[1], plain[0], plain[3], plain[2]] if crs.north_first else plain
    return {"crs": f"EPSG:{crs.srid}", "plain": plain, "ordered": ordered}


def get_map(request: HttpRequest, kvp: Kvp) -> HttpResponse:
    """GetMap."""
    known = catalogue.current()
    principal = who_asks(request)
    asked = asking.read_map(kvp)
    media = asking.read_format(kvp)
    layers = [gate.passed(principal, name, style, known) for name, style in asked.layers]
    given = (kvp.get("AS-OF") or None, kvp.get("TIME") or None)
    moments = [parse_moment(one.scope.layer, *given) for one in layers]
    view = gate.View(asked.crs, asked.box, asked.size, media, asking.read_background(kvp))
    body = gate.get_map(layers, moments, view, known)
    for one in layers:
        note_read(principal, one.scope, "wms", often=True)
    return HttpResponse(body, content_type=media.partition(";")[0])


def get_feature_info(request: HttpRequest, kvp: Kvp) -> HttpResponse:
    """GetFeatureInfo: what lies under a pixel, of what the caller may query."""
    known = catalogue.current()
    principal = who_asks(request)
    asked = asking.read_info(kvp)
    shown = {name: gate.passed(principal, name, style, known) for name, style in asked.map.layers}
    scopes = [scope(principal, name, Action.QUERY, of=known) for name in asked.layers]
    given = (kvp.get("AS-OF") or None, kvp.get("TIME") or None)
    found = []
    for one in scopes:
        layer = one.layer
        title = words(request, layer.title_zh, layer.title_en)
        moment = parse_moment(layer, *given)
        found.append(info.found_at(asked, one, moment, shown[layer.name].style, title))
        note_read(principal, one, "wms")
    response = HttpResponse(info.written(found, asked.media), content_type=f"{asked.media}; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def get_legend(request: HttpRequest, kvp: Kvp) -> HttpResponse:
    """GetLegendGraphic (OGC 05-078r4, 12), as picture or as data; what a style tells of hidden fields is not in it."""
    known = catalogue.current()
    name = kvp.need("LAYER")
    one = gate.passed(who_asks(request), name, kvp.get("STYLE"), known)
    layer = one.scope.layer
    english = getattr(request, "language", "zh") == "en"
    rows = legends.titled(one.style, words(request, layer.title_zh, layer.title_en), english=english)
    media = kvp.get("FORMAT", "image/png").strip().lower()
    if media == "application/json":
        told = {"layer": name, "title": words(request, layer.title_zh, layer.title_en)}
        text = json.dumps({**told, "classes": legends.legend_json(rows)}, ensure_ascii=False)
        return HttpResponse(text, content_type="application/json")
    if media != "image/png":
        raise BadFormat(offered="image/png, application/json")
    return HttpResponse(legends.legend_png(rows, layer.family), content_type="image/png")


OPERATIONS: dict[str, Callable[[HttpRequest, Kvp], HttpResponse]] = {
    "getcapabilities": capabilities,
    "capabilities": capabilities,
    "getmap": get_map,
    "map": get_map,
    "getfeatureinfo": get_feature_info,
    "feature_info": get_feature_info,
    "getlegendgraphic": get_legend,
}
