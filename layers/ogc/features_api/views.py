"""HTTP in, one question, HTTP out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.principals import who_asks
from layers import queries
from layers.changesets import access
from layers.fids import parse_fid
from layers.filters.sorting import Place
from layers.ogc import axes
from layers.ogc.features_api import changes, documents, items, tokens
from layers.ogc.features_api.openapi import definition
from layers.ogc.features_api.parameters import (
    ItemsQuery,
    known_only,
    negotiated,
    parse_items,
    parse_limit,
    single,
)
from layers.reads import note_read
from layers.rights import Action, Scope, scope, visible_layers
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer

HTML_MOST = 100
AnyResponse = TypeVar("AnyResponse", HttpResponse, StreamingHttpResponse)


class FeatureNotFound(OnemapError):
    """No such feature for the caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "feature-not-found"
    message: ClassVar = "layer {layer} has no feature {fid}"
    message_zh: ClassVar = "图层 {layer} 没有要素 {fid}"


def private(response: AnyResponse, request: HttpRequest) -> AnyResponse:
    """Mark an answer that depends on who asks."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Accept-Language, Authorization, Cookie"
    return response


def answer(
    request: HttpRequest, body: dict[str, Any], template: str, media: str = "application/json"
) -> HttpResponse:
    """A document as JSON or HTML, as asked."""
    if negotiated(request) == "html":
        return private(render(request, f"ogc/{template}.html", {"document": body}), request)
    return private(
        HttpResponse(json.dumps(body, ensure_ascii=False, default=str), content_type=media), request
    )


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """GET /ogc/."""
    known_only(single(request.GET), set())
    return answer(request, documents.landing(request), "landing")


@require_safe
def conformance(request: HttpRequest) -> HttpResponse:
    """GET /ogc/conformance."""
    known_only(single(request.GET), set())
    return answer(request, documents.conformance(request), "conformance")


@require_safe
def api(request: HttpRequest) -> HttpResponse:
    """GET /ogc/api: the OpenAPI definition of these addresses, for the collections this caller may query."""
    known_only(single(request.GET), set())
    body = definition(request, visible_layers(who_asks(request), Action.QUERY))
    return answer(request, body, "api", documents.OPENAPI)


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """GET /ogc/collections."""
    known_only(single(request.GET), set())
    scopes = visible_layers(who_asks(request))
    states = queries.layer_states([one.layer.id for one in scopes])
    return answer(request, documents.collections(request, scopes, states), "collections")


@require_safe
def collection(request: HttpRequest, name: str) -> HttpResponse:
    """GET /ogc/collections/NAME."""
    found = scope(who_asks(request), name, Action.VIEW)
    known_only(single(request.GET), set())
    states = queries.layer_states([found.layer.id])
    return answer(request, documents.collection(request, found, states[found.layer.id]), "collection")


@require_safe
def schema(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """GET /ogc/collections/NAME/schema, /queryables and /sortables."""
    found = scope(who_asks(request), name, Action.QUERY)
    known_only(single(request.GET), set())
    return answer(request, documents.schema(request, found, kind), "schema", documents.SCHEMA)


@require_safe
def collection_items(request: HttpRequest, name: str) -> HttpResponse | StreamingHttpResponse:
    """GET /ogc/collections/NAME/items."""
    found = scope(who_asks(request), name, Action.QUERY)
    given = single(request.GET)
    query = parse_items(found, given)
    html = negotiated(request) == "html"
    overlay = access.asked(who_asks(request), given.get("changeset"), given.get("as-of"))
    note_read(who_asks(request), found, "items")
    state = queries.layer_states([found.layer.id])[found.layer.id]
    # A revision yet to come is the present one: later pages must show what the first one did.
    revision = min(
        query.moment.revision if query.moment.revision is not None else state["revision"], state["revision"]
    )
    if "next" in given:
        page = tokens.read(given["next"], found, _bound(given, overlay), who_asks(request).name)
        revision = page.revision
        # Nothing changed since the first page: the current rows alone are the answer.
        as_of = None if query.moment.revision is None and revision == state["revision"] else revision
        query = replace(query, moment=replace(query.moment, revision=as_of), after=_place(page))
    if html:
        query = replace(query, limit=min(query.limit, HTML_MOST))
    query = _laid_over(query, overlay)
    pages = queries.primed(queries.streamed(items.page_statement(found, query)))

    def finish(last: Any) -> list[dict[str, str]]:
        ended = tokens.Page(last[:2], revision, last[2:]) if last else None
        return _item_links(request, found, given, ended, overlay)

    def matched() -> int | None:
        return items.number_matched(found, query, state["feature_count"])

    chunks = items.collection_chunks(pages, query, matched, finish)
    if html:
        body = json.loads("".join(chunks))
        return private(render(request, "ogc/items.html", {"document": body, "scope": found}), request)
    response = _geojson(request, chunks, query.crs.uri)
    response.headers["Link"] = documents.queryables_header(request, found)
    return response


def _place(page: tokens.Page) -> Place:
    fid, valid_from = page.after
    return Place(fid, valid_from.isoformat() if valid_from else None, page.values)


def _geojson(request: HttpRequest, chunks: Iterator[str], crs_uri: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse((chunk.encode() for chunk in chunks), content_type=documents.GEOJSON)
    response.headers["Content-Crs"] = f"<{crs_uri}>"
    return private(response, request)


def _laid_over(query: ItemsQuery, overlay: access.Overlay | None) -> ItemsQuery:
    """The question, asked of the map with a changeset."""
    if overlay is None:
        return query
    return replace(query, moment=replace(query.moment, changeset=overlay.id))


def _bound(given: dict[str, str], overlay: access.Overlay | None) -> dict[str, str]:
    """What a page's token is bound to: of a changeset also the content, so that a page never mixes two."""
    return given if overlay is None else {**given, "changeset": f"{overlay.id}.{overlay.counter}"}


def _item_links(
    request: HttpRequest,
    found: Scope,
    given: dict[str, str],
    page: tokens.Page | None,
    overlay: access.Overlay | None = None,
) -> list[dict[str, str]]:
    url = f"{documents.base_url(request)}/ogc/collections/{found.layer.name}/items"
    plain = {name: value for name, value in given.items() if name != "f"}
    links = [
        documents.link(f"{url}?{urlencode(given)}" if given else url, "self", documents.GEOJSON, "This page"),
        documents.link(
            f"{url}?{urlencode({**plain, 'f': 'html'})}", "alternate", "text/html", "This page as HTML"
        ),
        documents.link(url.removesuffix("/items"), "collection", "application/json", "The collection"),
    ]
    if page is not None:
        token = tokens.sign(page, found, _bound(given, overlay), who_asks(request).name)
        links.append(
            documents.link(
                f"{url}?{urlencode({**given, 'next': token})}", "next", documents.GEOJSON, "The next page"
            )
        )
    return links


def fid_of(name: str, text: str) -> int:
    """The fid of an address.

    Raises
    ------
    FeatureNotFound
        It is no fid.
    """
    number = parse_fid(text)
    if number is None:
        raise FeatureNotFound(layer=name, fid=text)
    return number


@require_safe
def item(request: HttpRequest, name: str, fid: str) -> HttpResponse:
    """GET /ogc/collections/NAME/items/FID: the feature, its version as ETag."""
    found = scope(who_asks(request), name, Action.QUERY)
    given = single(request.GET)
    known_only(given, {"crs", "as-of", "datetime", "properties", "changeset"})
    number = fid_of(name, fid)
    overlay = access.asked(who_asks(request), given.get("changeset"), given.get("as-of"))
    query = _laid_over(parse_items(found, given), overlay)
    note_read(who_asks(request), found, "item")
    feature = items.one_feature(found, number, query)
    if feature is None:
        raise FeatureNotFound(layer=name, fid=fid)
    text, version = feature
    path = f"/ogc/collections/{name}/items/{fid}"
    links = [*documents.self_links(request, path, documents.GEOJSON)]
    links.append(
        documents.link(
            f"{documents.base_url(request)}/ogc/collections/{name}", "collection", "application/json", name
        )
    )
    body = f'{text[:-1]},"links":{json.dumps(links, ensure_ascii=False)}}}'
    if negotiated(request) == "html":
        return private(
            render(request, "ogc/item.html", {"document": json.loads(body), "scope": found}), request
        )
    response = HttpResponse(body, content_type=documents.GEOJSON)
    response.headers["Content-Crs"] = f"<{query.crs.uri}>"
    response.headers["ETag"] = f'"{version}"'
    return private(response, request)


@require_safe
def collection_changes(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """GET /ogc/collections/NAME/changes?since=REVISION."""
    found = scope(who_asks(request), name, Action.QUERY)
    given = single(request.GET)
    known_only(given, {"since", "limit", "crs", "next"})
    crs, limit = axes.output_crs(given.get("crs")), parse_limit(given.get("limit"))
    since = parse_integer(given.get("since", "0"), name="since", low=0)
    until, after = queries.revision_of(found.layer), 0
    who = who_asks(request).name
    asked = {**given, "since": str(since)}  # so that a page of items never continues here
    if "next" in given:
        page = tokens.read(given["next"], found, asked, who)
        until, after = page.revision, page.after[0]
    note_read(who_asks(request), found, "changes")
    statement = changes.changes_statement(found, crs, min(since, until), until, after, limit)
    pages = queries.primed(queries.streamed(statement))

    def finish(last: int | None) -> tuple[list[dict[str, str]], str | None]:
        url = f"{documents.base_url(request)}/ogc/collections/{name}/changes"
        links = [
            documents.link(
                f"{url}?{urlencode({'since': since})}", "self", "application/json", "These changes"
            )
        ]
        if last is None:
            return links, None
        token = tokens.sign(tokens.Page((last, None), until), found, asked, who)
        following = f"{url}?{urlencode({**given, 'next': token})}"
        return [*links, documents.link(following, "next", "application/json", "More of them")], following

    chunks = changes.changes_chunks(pages, found, since, until, limit, finish)
    response = StreamingHttpResponse((chunk.encode() for chunk in chunks), content_type="application/json")
    return private(response, request)
