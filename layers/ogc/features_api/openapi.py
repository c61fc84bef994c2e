"""The OpenAPI 3.0 definition of `/ogc/`, for the collections a caller may query."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from layers.filters.tree import MOST_CHARACTERS
from layers.ogc.features_api import documents
from layers.ogc.features_api.choosing import LANGUAGES
from layers.ogc.features_api.parameters import DEFAULT_LIMIT, MOST_LIMIT
from layers.rights import Scope

_TEXT = {"type": "string"}


def definition(request: HttpRequest, scopes: list[Scope]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, Any] = {
        "/": {"get": _get("landing", "Landing page")},
        "/conformance": {"get": _get("conformance", "Conformance classes")},
        "/collections": {"get": _get("collections", "Collections")},
    }
    for scope in scopes:
        paths |= _collection_paths(scope)
    return {
        "openapi": "3.0.3",
        "info": {"title": documents.landing(request)["title"], "version": "1.0.0"},
        "servers": [{"url": f"{documents.base_url(request)}/ogc"}],
        "paths": paths,
        "components": {"parameters": _parameters(), "responses": _responses(), "securitySchemes": _SCHEMES},
        "security": [{}, {"key": []}, {"basic": []}],
    }


_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "a service key"},
    "basic": {"type": "http", "scheme": "basic", "description": "any user name, the service key as password"},
}


def _collection_paths(scope: Scope) -> dict[str, Any]:
    name = scope.layer.name
    shared = [
        {"$ref": f"#/components/parameters/{one}"}
        for one in ("limit", "bbox", "bbox-crs", "crs", "datetime", "as-of", "next", "changeset")
    ]
    chosen = [
        {"$ref": f"#/components/parameters/{one}"}
        for one in ("filter", "filter-lang", "filter-crs", "sortby", "properties")
    ]
    own = [
        _query(
            one.field.name,
            documents.JSON_SCHEMA_TYPES[one.field.type],
            f"features whose {one.field.name} is this",
        )
        for one in scope.fields
    ]
    fid = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    single = ("crs", "datetime", "as-of", "properties", "changeset")
    one = [{"$ref": f"#/components/parameters/{part}"} for part in single]
    return {
        f"/collections/{name}": {"get": _get(f"{name}_collection", scope.layer.title_zh)},
        f"/collections/{name}/items": {
            "get": _get(f"{name}_items", f"{scope.layer.title_zh}: features", shared + chosen + own)
        },
        f"/collections/{name}/items/{{featureId}}": {
            "get": _get(f"{name}_item", f"{scope.layer.title_zh}: a feature", [fid, *one])
        },
        f"/collections/{name}/schema": {"get": _get(f"{name}_schema", f"{scope.layer.title_zh}: fields")},
        f"/collections/{name}/queryables": {
            "get": _get(f"{name}_queryables", f"{scope.layer.title_zh}: what filters may name")
        },
        f"/collections/{name}/sortables": {
            "get": _get(f"{name}_sortables", f"{scope.layer.title_zh}: what sortby may name")
        },
        f"/collections/{name}/changes": {
            "get": _get(
                f"{name}_changes",
                f"{scope.layer.title_zh}: changes since a revision",
                [
                    _query("since", {"type": "integer", "minimum": 0}, "a revision seen before"),
                    *shared[:1],
                    shared[3],
                    shared[6],
                ],
            )
        },
    }


def _get(operation: str, summary: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            "200": {
                "description": "the document",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "400": {"$ref": "#/components/responses/problem"},
            "401": {"$ref": "#/components/responses/problem"},
            "404": {"$ref": "#/components/responses/problem"},
        },
    }


def _query(name: str, schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "style": "form",
        "explode": False,
        "description": about,
    }


def _parameters() -> dict[str, Any]:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT}
    bbox = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    grid = f"EPSG:{settings.ONEMAP_SRID}"
    return {
        "limit": _query("limit", limit, "features per page; a larger number is cut"),
        "bbox": _query("bbox", bbox, "features that touch this box, in bbox-crs"),
        "bbox-crs": _query(
            "bbox-crs", _TEXT, "coordinate system of bbox and its axis order; CRS84 if not given"
        ),
        "crs": _query(
            "crs", _TEXT, f"coordinate system of the answer, for example that of {grid}; CRS84 if not given"
        ),
        "datetime": _query(
            "datetime", _TEXT, "valid time: a day, a time, or an interval a/b; today if not given"
        ),
        "as-of": _query("as-of", _TEXT, "record time: rev:N or a time; as known now if not given"),
        "changeset": _query(
            "changeset",
            {"type": "integer", "minimum": 1},
            "the map as it would be with a changeset you may see",
        ),
        "filter": _query("filter", {**_TEXT, "maxLength": MOST_CHARACTERS}, "a condition in CQL2"),
        "filter-lang": _query(
            "filter-lang", {**_TEXT, "enum": list(LANGUAGES), "default": "cql2-text"}, "the filter's language"
        ),
        "filter-crs": _query(
            "filter-crs",
            _TEXT,
            "coordinate system of the filter's geometries and its axis order; CRS84 if not given",
        ),
        "sortby": _query(
            "sortby", {"type": "array", "items": _TEXT}, "sortables, each after + or -; NULLs come last"
        ),
        "properties": _query("properties", {"type": "array", "items": _TEXT}, "the fields to show"),
        "next": _query("next", _TEXT, "continues a page; taken from its next link"),
    }


def _responses() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"type": "object"}}}
    return {"problem": {"description": "a refusal: what, where, what to do", "content": content}}
