"""OGC API Features part 4: features created, replaced, updated and deleted, in a changeset that the caller names.

Nothing here reaches the one map: what a program writes is reviewed and published like every other change.
"""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from accounts.guard import caller
from accounts.principals import who_asks
from layers.changesets import access, drafting
from layers.changesets.drafting import DraftEdit
from layers.ogc import bodies
from layers.ogc.features_api import documents, views
from layers.ogc.features_api.parameters import known_only, single
from layers.rights import Action, NotGranted, Scope, scope
from spatial import strictjson
from spatial.errors import Kind, OnemapError

GEOJSON = ("application/geo+json", "application/json")
PATCHES = ("application/merge-patch+json", "application/json")


class ChangesetNeeded(OnemapError):
    """Programs write into a changeset, never straight into the one map."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "changeset-needed"
    message: ClassVar = "say which changeset it belongs to: changeset=ID"
    message_zh: ClassVar = "请用 changeset=ID 指明所属的变更集"


class BadBodyType(OnemapError):
    """The body is of another media type than is taken here."""

    kind: ClassVar = Kind.UNSUPPORTED
    code: ClassVar = "bad-body-type"
    message: ClassVar = "send {offered}"
    message_zh: ClassVar = "请发送 {offered}"


class NoFeature(OnemapError):
    """The body is no GeoJSON feature, or no patch of one."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "no-feature"
    message: ClassVar = "the body is no feature: {reason}"
    message_zh: ClassVar = "请求内容不是要素：{reason}"


@method_decorator(csrf_exempt, name="dispatch")  # `caller` asks for the token where cookies speak for someone
class Items(View):
    """/ogc/collections/NAME/items."""

    def get(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """The features of a collection."""
        return views.collection_items(request, name)

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        """Create a feature: 201, its address in Location."""
        found, changeset = _writing(request, name)
        body = _feature(request)
        edit = DraftEdit("insert", geometry=_geometry(request, found, body), properties=_properties(body))
        done = drafting.put(changeset, who_asks(request), name, [edit])
        response = _done(201, done.versions[0])
        query = urlencode({"changeset": changeset})
        root = f"{documents.base_url(request)}/ogc/collections/{name}/items"
        response.headers["Location"] = f"{root}/{done.fids[0]}?{query}"
        return response

    def options(self, request: HttpRequest, name: str) -> HttpResponse:
        """What the caller may do here."""
        return _allowed(request, name, "POST")


@method_decorator(csrf_exempt, name="dispatch")
class Item(View):
    """/ogc/collections/NAME/items/FID; every write needs If-Match, the ETag of the map with the changeset."""

    def get(self, request: HttpRequest, name: str, fid: str) -> HttpResponseBase:
        """The feature."""
        return views.item(request, name, fid)

    def put(self, request: HttpRequest, name: str, fid: str) -> HttpResponse:
        """Replace the feature: properties that are not named are empty from then on."""
        found, changeset = _writing(request, name)
        body = _feature(request)
        empty = dict.fromkeys(one.field.name for one in found.fields)
        properties = {**empty, **_properties(body)}
        return _write(request, found, changeset, fid, _geometry(request, found, body), properties)

    def patch(self, request: HttpRequest, name: str, fid: str) -> HttpResponse:
        """Change what the merge patch (RFC 7396) names."""
        found, changeset = _writing(request, name)
        body = _object(request, PATCHES)
        shape = _geometry(request, found, body) if "geometry" in body else None
        return _write(request, found, changeset, fid, shape, _properties(body))

    def delete(self, request: HttpRequest, name: str, fid: str) -> HttpResponse:
        """Delete the feature."""
        _, changeset = _writing(request, name)
        edit = DraftEdit("delete", views.fid_of(name, fid), _version(request))
        drafting.put(changeset, who_asks(request), name, [edit])
        return HttpResponse(status=204)

    def options(self, request: HttpRequest, name: str, fid: str) -> HttpResponse:
        """What the caller may do here."""
        views.fid_of(name, fid)
        return _allowed(request, name, "PUT", "PATCH", "DELETE")


def _write(
    request: HttpRequest,
    found: Scope,
    changeset: int,
    fid: str,
    shape: Any,
    properties: dict[str, Any],
) -> HttpResponse:
    name = found.layer.name
    edit = DraftEdit("update", views.fid_of(name, fid), _version(request), shape, properties)
    done = drafting.put(changeset, who_asks(request), name, [edit])
    return _done(204, done.versions[0])


def _writing(request: HttpRequest, name: str) -> tuple[Scope, int]:
    """The caller's right to edit, and the changeset named."""
    who = caller(request)
    found = scope(who, name, Action.EDIT)
    given = single(request.GET)
    known_only(given, {"changeset"})
    overlay = access.asked(who, given.get("changeset"))
    if overlay is None:
        raise ChangesetNeeded()
    return found, overlay.id


def _object(request: HttpRequest, offered: tuple[str, ...]) -> dict[str, Any]:
    if request.content_type not in offered:
        raise BadBodyType(offered=", ".join(offered))
    body = strictjson.loads(request.body)
    if not isinstance(body, dict):
        raise NoFeature(reason="an object is expected")
    return body


def _feature(request: HttpRequest) -> dict[str, Any]:
    body = _object(request, GEOJSON)
    if body.get("type") != "Feature":
        raise NoFeature(reason="its type is not Feature")
    return body


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("properties")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise NoFeature(reason="properties are no object")
    return found


def _geometry(request: HttpRequest, found: Scope, body: dict[str, Any]) -> Any:
    """The geometry in the storage CRS; the rows of a table have none."""
    given = body.get("geometry")
    if given is None and found.layer.is_table:
        return None
    crs = bodies.content_crs_of(request.headers.get("Content-Crs"))
    return bodies.geometry_given(given, crs, 1)


def _version(request: HttpRequest) -> int:
    return bodies.version_matched(request.headers.get("If-Match"))


def _done(status: int, version: int) -> HttpResponse:
    response = HttpResponse(status=status)
    response.headers["ETag"] = f'"{version}"'
    return response


def _allowed(request: HttpRequest, name: str, *writing: str) -> HttpResponse:
    """The methods that the caller's rights allow."""
    who = who_asks(request)
    scope(who, name, Action.QUERY)
    try:
        scope(who, name, Action.EDIT)
    except NotGranted:
        writing = ()
    response = HttpResponse(status=200)
    response.headers["Allow"] = ", ".join(("GET", "HEAD", "OPTIONS", *writing))
    return views.private(response, request)
