"""Rasters in the catalogue: cards, a page with bounds, cells and range, and the file itself."""

from typing import Any, ClassVar

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.principals import who_asks
from layers import queries
from layers.exchange.exports import UnknownExport
from layers.models import Lineage, MetadataVersion, RasterVersion
from layers.ogc import axes
from layers.ogc.features_api.documents import base_url
from layers.rasters import RasterUnavailable, path_of, version_at
from layers.rights import Action, Scope, raster_scope, visible_rasters
from process import audit
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError

SUFFIX = ".tif"
MEDIA = "image/tiff; application=geotiff; profile=cloud-optimized"


class WholeRasterOnly(OnemapError):
    """A file holds the whole raster, the right does not."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "whole-raster-only"
    message: ClassVar = "your right to download raster {layer} ends at an area; ask for its values instead"
    message_zh: ClassVar = "您对栅格 {layer} 的下载权限限于部分区域，不能下载整个文件，请改用取值服务"


def cards(request: HttpRequest) -> list[dict[str, Any]]:
    """What the catalogue lists: scope, layer, state and version of each raster this reader may see."""
    scopes = visible_rasters(who_asks(request))
    states = queries.layer_states([one.layer.id for one in scopes])
    found = RasterVersion.objects.filter(layer_id__in=list(states), rev_to=None)
    versions = {version.layer_id: version for version in found}
    return [
        {
            "scope": one,
            "layer": one.layer,
            "state": states[one.layer.id],
            "raster": versions.get(one.layer.id),
        }
        for one in scopes
    ]


def approved_metadata(found: Scope) -> MetadataVersion | None:
    """The approved metadata of a layer or a raster; None if none was approved."""
    state = MetadataVersion.State.APPROVED
    return MetadataVersion.objects.filter(layer_id=found.layer.id, state=state).first()


def detail(request: HttpRequest, name: str) -> HttpResponse:
    """The page of a raster; where it lies and its range only for those who may see all of it."""
    found = raster_scope(who_asks(request), name, Action.VIEW)
    version = version_at(found, None)
    whole = found.areas is None
    context: dict[str, Any] = {
        "scope": found,
        "layer": found.layer,
        "state": queries.layer_states([found.layer.id])[found.layer.id],
        "version": version,
        "metadata": approved_metadata(found),
        "whole": whole,
        "root": base_url(request),
        "storage": crs_of(axes.STORAGE),
        "extent": axes.extent_out(version.extent, crs_of(4490)) if version and whole else None,
        "lineage": Lineage.objects.filter(layer_id=found.layer.id)[:10] if whole else [],
        "can_query": Action.QUERY in found.actions,
        "can_download": Action.DOWNLOAD in found.actions and whole,
    }
    return render(request, "catalogue/raster.html", context)


def download(request: HttpRequest, name: str, suffix: str) -> FileResponse:
    """The stored file, for those who may download all of it.

    Raises
    ------
    LayerNotFound, NotGranted
    UnknownExport
        Another format than GeoTIFF.
    WholeRasterOnly
        The right ends at an area, and a file has no such bounds.
    """
    found = raster_scope(who_asks(request), name, Action.DOWNLOAD)
    if suffix != SUFFIX:
        raise UnknownExport(offered=SUFFIX)
    if found.areas is not None:
        raise WholeRasterOnly(layer=name)
    version = version_at(found, None)
    try:
        file = path_of(version).open("rb") if version else None
    except OSError:
        file = None
    if file is None or version is None:
        raise RasterUnavailable(layer=name)
    audit.record(who_asks(request).name, "layer.download", "layer", name, bytes=version.size, format=SUFFIX)
    response = FileResponse(file, as_attachment=True, filename=f"{name}{SUFFIX}", content_type=MEDIA)
    response.headers["Cache-Control"] = "private, no-store"
    return response
