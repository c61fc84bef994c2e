"""The documents around the features: landing page, conformance, collections, schema."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from layers.catalogue import FieldInfo
from layers.ogc import axes
from layers.ogc.features_api.choosing import sortables
from layers.rights import Action, Scope
from spatial.crs import CRS84, crs_of

CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "property-property",
        )
    ),
    # Part 4 is a draft (20-002r1); all writes go into a changeset named by the caller.
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
)
GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
JSON_SCHEMA_TYPES: dict[str, dict[str, str]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "real": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
}


def base_url(request: HttpRequest) -> str:
    """Address of the site without a slash at its end: the configured one, else the (allowed) host asked."""
    return settings.ONEMAP_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def link(href: str, rel: str, media: str, title: str) -> dict[str, str]:
    """One link of a document."""
    return {"href": href, "rel": rel, "type": media, "title": title}


def self_links(request: HttpRequest, path: str, media: str = "application/json") -> list[dict[str, str]]:
    """`self` and `alternate` of a document offered as JSON and HTML."""
    url = f"{base_url(request)}{path}"
    return [
        link(f"{url}?f=json", "self", media, "This document"),
        link(f"{url}?f=html", "alternate", "text/html", "This document as HTML"),
    ]


def words(request: HttpRequest, zh: str, en: str) -> str:
    """The text in the reader's language; the other one where it is missing."""
    return (en or zh) if getattr(request, "language", "zh") == "en" else (zh or en)


def landing(request: HttpRequest) -> dict[str, Any]:
    """`/ogc/`."""
    root = base_url(request)
    title = words(request, f"{settings.ONEMAP_CITY_ZH}一张图", f"{settings.ONEMAP_CITY_EN} one map")
    about = words(
        request,
        "基础地理、规划成果与土地现状的统一服务",
        "Base geography, planning results and land status on one core",
    )
    return {
        "title": title,
        "description": about,
        "links": [
            *self_links(request, "/ogc/"),
            link(f"{root}/ogc/api", "service-desc", OPENAPI, "API definition"),
            link(f"{root}/ogc/api?f=html", "service-doc", "text/html", "API documentation"),
            link(f"{root}/ogc/conformance", "conformance", "application/json", "Conformance classes"),
            link(
                f"{root}/ogc/conformance",
                "http://www.opengis.net/def/rel/ogc/1.0/conformance",
                "application/json",
                "Conformance",
            ),
            link(f"{root}/ogc/collections", "data", "application/json", "Collections"),
            link(
                f"{root}/ogc/tileMatrixSets",
                "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
                "application/json",
                "Grids",
            ),
        ],
    }


def conformance(request: HttpRequest) -> dict[str, Any]:
    """`/ogc/conformance`."""
    return {"conformsTo": list(CONFORMANCE), "links": self_links(request, "/ogc/conformance")}


def collections(
    request: HttpRequest, scopes: list[Scope], states: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """`/ogc/collections`."""
    return {
        "links": self_links(request, "/ogc/collections"),
        "crs": [crs.uri for crs in axes.offered()],
        "collections": [collection(request, scope, states[scope.layer.id]) for scope in scopes],
    }


def collection(request: HttpRequest, scope: Scope, state: dict[str, Any]) -> dict[str, Any]:
    """One collection: its metadata, as far as the caller may know it."""
    layer = scope.layer
    found: dict[str, Any] = {
        "id": layer.name,
        "title": words(request, layer.title_zh, layer.title_en),
        "description": words(request, layer.abstract_zh, layer.abstract_en),
        "itemType": "feature",
        "crs": [crs.uri for crs in axes.offered()],
        "storageCrs": crs_of(axes.STORAGE).uri,
        "links": _collection_links(request, scope),
    }
    # An area-limited caller is not told how far the rest reaches.
    if state["extent"] is not None and scope.areas is None:
        found["extent"] = {"spatial": {"bbox": [axes.extent_out(state["extent"], CRS84)], "crs": CRS84.uri}}
    if layer.valid_time:
        found.setdefault("extent", {})["temporal"] = {"interval": [[None, None]]}
    return found


def _collection_links(request: HttpRequest, scope: Scope) -> list[dict[str, str]]:
    root, name = base_url(request), scope.layer.name
    path = f"/ogc/collections/{name}"
    links = self_links(request, path)
    if Action.QUERY in scope.actions:
        links += [
            link(f"{root}{path}/items", "items", GEOJSON, "Features as GeoJSON"),
            link(f"{root}{path}/items?f=html", "items", "text/html", "Features as HTML"),
            link(f"{root}{path}/schema", "http://www.opengis.net/def/rel/ogc/1.0/schema", SCHEMA, "Schema"),
            link(f"{root}{path}/schema", "describedby", SCHEMA, "Schema"),
            link(
                f"{root}{path}/queryables",
                QUERYABLES,
                SCHEMA,
                "Queryables",
            ),
            link(
                f"{root}{path}/sortables",
                "http://www.opengis.net/def/rel/ogc/1.0/sortables",
                SCHEMA,
                "Sortables",
            ),
            link(f"{root}{path}/changes?since=0", "changes", "application/json", "Changes since a revision"),
        ]
    if scope.layer.is_table:
        return links
    vector_rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    return [*links, link(f"{root}{path}/tiles", vector_rel, "application/json", "Vector tiles")]


def queryables_header(request: HttpRequest, scope: Scope) -> str:
    """The `Link` of items to what filters may name (OGC 19-079r2, /req/queryables/link)."""
    path = f"{base_url(request)}/ogc/collections/{scope.layer.name}/queryables"
    return f'<{path}>; rel="{QUERYABLES}"; type="{SCHEMA}"'


def field_schema(info: FieldInfo, position: int, language: str) -> dict[str, Any]:
    """JSON Schema of one field: the same declaration that import and editing obey."""
    alias = info.alias_en if language == "en" else info.alias_zh
    found: dict[str, Any] = {
        "title": alias or info.name,
        "x-ogc-propertySeq": position,
        **JSON_SCHEMA_TYPES[info.type],
    }
    optional = {
        "x-ogc-unit": info.unit or None,
        "minimum": info.minimum,
        "maximum": info.maximum,
        "maxLength": info.max_length,
    }
    found.update({name: value for name, value in optional.items() if value is not None})
    if info.codes is not None:
        names = [en if language == "en" and en else zh for _, zh, en in info.codes]
        found["oneOf"] = [
            {"const": _constant(info, code[0]), "title": name}
            for code, name in zip(info.codes, names, strict=True)
        ]
    return found


def _constant(info: FieldInfo, code: str) -> str | int:
    """A code as its field holds it."""
    return int(code) if info.type == "integer" and code.isdecimal() and code.isascii() else code


def _enumerated(info: FieldInfo, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field that can be asked for, its codes as a list of values too."""
    if info.codes is None:
        return schema
    return {**schema, "enum": [one["const"] for one in schema["oneOf"]]}


def _properties(scope: Scope, kind: str, language: str) -> dict[str, Any]:
    """The names that a kind of schema has: those of items, those of filters, those to sort by."""
    fields = sortables(scope) if kind == "sortables" else scope.fields
    found = {
        one.field.name: field_schema(one.field, number, language) for number, one in enumerate(fields, 1)
    }
    if kind == "sortables":
        return {"fid": {"title": "fid", "type": "integer", "x-ogc-role": "id"}, **found}
    if kind == "queryables":
        found = {one.field.name: _enumerated(one.field, found[one.field.name]) for one in fields}
        if scope.layer.valid_time:
            found = {**_PERIOD, **found}
    if scope.layer.is_table:
        return found
    geometry = {
        "x-ogc-role": "primary-geometry",
        "format": f"geometry-{scope.layer.family.value.replace('line', 'linestring')}-any",
    }
    return {"geometry": geometry, **found}


_PERIOD = {
    "valid_from": {
        "title": "有效期起 valid from",
        "type": "string",
        "format": "date",
        "x-ogc-role": "primary-interval-start",
    },
    "valid_to": {
        "title": "有效期止（不含） valid until (not included)",
        "type": "string",
        "format": "date",
        "x-ogc-role": "primary-interval-end",
    },
}


def schema(request: HttpRequest, scope: Scope, kind: str) -> dict[str, Any]:
    """`schema`, `queryables` or `sortables` of a collection: the fields this caller may see."""
    language = getattr(request, "language", "zh")
    url = f"{base_url(request)}/ogc/collections/{scope.layer.name}/{kind}"
    found: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url,
        "type": "object",
        "title": words(request, scope.layer.title_zh, scope.layer.title_en),
        "properties": _properties(scope, kind, language),
        "additionalProperties": False,
    }
    required = [one.field.name for one in scope.fields if one.field.required]
    return {**found, "required": required} if required and kind == "schema" else found
