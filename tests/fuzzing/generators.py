"""Requests out of what the platform says of itself: its OpenAPI documents and its URL conf.

A new route or parameter is asked for as soon as it is told of; nothing here names one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests import doors, layermaking
from tests.hostility import STRINGS
from tests.matrix import LAYERS
from tests.people import Caller

DOCUMENTS = ("/api/openapi.json", "/ogc/api")
HOST = "http://testserver"
# Not asked: they end sessions, wait for people, or tell of a worker that no test runs here.
LEFT_OUT = re.compile(r"^ANY |/api/(?:login|logout|docs)\b|^GET (?:data/|healthz)?$")
PLACE = re.compile(r"<(?:\w+:)?(\w+)>|\{(\w+)\}")
LAYER = re.compile(r"(?<=/)(?:{})(?=/|$)".format("|".join(LAYERS)))

HOSTILE = st.sampled_from([one for one in STRINGS if isinstance(one, str)])
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
NUMBER = st.one_of(st.integers(-2, 12), st.integers(-(2**70), 2**70), st.floats()).map(str)
FIELDS = ["name", "amount", "ratio", "day", "seen", "open", *(f"remark_{one}" for one in LAYERS), "no_such"]
WEST, EAST, NORTH = layermaking.WEST, layermaking.EAST, layermaking.NORTH


@dataclass(frozen=True)
class Sent:
    """A request: path and query as sent, and a body's text."""

    method: str
    address: str
    body: str | bytes | None = None

    def own_words(self) -> str:
        """What the sender wrote: an answer may repeat it."""
        said = self.body if isinstance(self.body, str) else (self.body or b"").decode("latin-1")
        return f"{requests.compat.unquote(self.address)} {requests.compat.unquote_plus(self.address)} {said}"


def _box(corner: tuple[float, float]) -> str:
    x, y = corner
    return f"{x},{y},{x + 20_000},{y + 20_000}"


PLACES = [(WEST, NORTH), (EAST, NORTH), (0.0, 0.0)]
BOXES = st.one_of(
    st.sampled_from([_box(one) for one in PLACES]),
    st.sampled_from(["113,22,115,23", "100,10,130,40", "170,1,-170,2", "-180,-90,180,90"]),
    st.lists(NUMBER, min_size=3, max_size=7).map(",".join),
)
SYSTEMS = st.sampled_from(
    [
        "EPSG:4547",
        "EPSG:3857",
        "EPSG:4326",
        "EPSG:4490",
        "http://www.opengis.net/def/crs/EPSG/0/4547",
        "EPSG:0",
    ]
)
FIELD = st.sampled_from(FIELDS)
LITERAL = st.one_of(
    st.integers(-5, 70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(
        ["'CANARY%'", "'SECRET-area_ground-4'", "''", "'a''b'", "TRUE", "DATE('2026-01-04')", "NULL"]
    ),
    TEXT.map(lambda text: "'" + text.replace("'", "''") + "'"),
)
COMPARISON = st.one_of(
    st.tuples(FIELD, st.sampled_from(["=", "<>", "<", ">=", " LIKE ", " + "]), LITERAL).map("".join),
    st.tuples(FIELD, LITERAL, LITERAL).map(lambda one: f"{one[0]} BETWEEN {one[1]} AND {one[2]}"),
    st.tuples(FIELD, st.lists(LITERAL, max_size=4).map(", ".join)).map(lambda one: f"{one[0]} IN ({one[1]})"),
    FIELD.map(lambda name: f"{name} IS NOT NULL"),
    BOXES.map(lambda box: f"S_INTERSECTS(geometry, BBOX({box}))"),
    st.tuples(FIELD, LITERAL).map(lambda one: f"CASEI({one[0]}) = {one[1]}"),
    st.tuples(st.sampled_from(["pg_sleep", "S_WITHIN", "version", "T_AFTER"]), FIELD, LITERAL).map(
        lambda one: f"{one[0]}({one[1]}, {one[2]})"
    ),
)
CONDITION = st.recursive(
    COMPARISON,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map("".join),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=8,
)
# The same in CQL2-JSON, near enough to be read and wrong often enough.
_OPERAND = st.one_of(
    FIELD.map(lambda name: {"property": name}),
    st.integers(-5, 70),
    st.sampled_from(
        ["CANARY%", "SECRET-area_ground-4", {"date": "2026-01-04"}, None, {"bbox": [100, 10, 130, 40]}]
    ),
)
AS_JSON = st.recursive(
    st.tuples(
        st.sampled_from(
            ["=", "<", "like", "in", "between", "isNull", "s_intersects", "t_after", "casei", "no"]
        ),
        st.lists(_OPERAND, min_size=1, max_size=3),
    ).map(lambda one: {"op": one[0], "args": one[1]}),
    lambda inner: st.tuples(
        st.sampled_from(["and", "or", "not"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda one: {"op": one[0], "args": one[1]}),
    max_leaves=5,
).map(json.dumps)
MOMENTS = st.sampled_from(
    ["rev:0", "rev:1", "rev:2", "2026-01-01", "../..", "2020-01-01/..", "2026-02-30", ".."]
)
# Numbers of the changesets that there are, by the database's own count: filled by tests.fuzzing.test_fuzz.
CHANGESETS: list[int] = []


def _there(number: int) -> str:
    return str(CHANGESETS[number % len(CHANGESETS)] if CHANGESETS else number)


CHANGESET = st.integers(0, 7).map(_there)
# By the meaning that a parameter's name has wherever it occurs; everything else gets any value at all.
BY_NAME = {
    "bbox": BOXES,
    "filter": st.one_of(CONDITION, CONDITION, AS_JSON),
    "crs": SYSTEMS,
    "datetime": MOMENTS,
    "as-of": MOMENTS,
    "sortby": st.lists(st.tuples(st.sampled_from(["+", "-", ""]), FIELD).map("".join), max_size=3).map(
        ",".join
    ),
    "properties": st.lists(FIELD, max_size=4).map(",".join),
    "layers": st.lists(st.sampled_from(LAYERS), max_size=3).map(",".join),
    "name": st.sampled_from(LAYERS),
    "x": st.sampled_from([str(WEST + 423.4), str(EAST + 1_923.4), "114.05"]),
    "y": st.sampled_from([str(NORTH + 300), str(NORTH + 1_200), "22.5"]),
    "grid": st.sampled_from(["CityGrid", "WebMercatorQuad", "WorldCRS84Quad", "NoGrid"]),
    "suffix": st.sampled_from([".geojson", ".gpkg", ".csv", ".fgb", ".exe"]),
    "f": st.sampled_from(["json", "html", "xml"]),
    "limit": st.integers(-1, 10_001).map(str),
    "changeset": CHANGESET,
    "number": CHANGESET,
    "fid": st.integers(1, 7).map(str),
    "op": st.sampled_from(["insert", "update", "delete"]),
    "filter-lang": st.sampled_from(["cql2-text", "cql2-json"]),
}
BY_NAME |= {
    "bbox-crs": SYSTEMS,
    "filter-crs": SYSTEMS,
    "collectionId": BY_NAME["name"],
    "layer": BY_NAME["name"],
}


def value_of(name: str) -> st.SearchStrategy[str]:
    """Values for a parameter: mostly such as mean something, else anything."""
    likely = BY_NAME.get(name, st.integers(0, 9).map(str))
    return st.one_of(*[likely] * 9, NUMBER, TEXT, HOSTILE)


def documents(caller: Caller) -> Iterator[tuple[str, dict]]:
    """The OpenAPI documents as this caller reads them, with where their paths begin."""
    for path in DOCUMENTS:
        found = caller.json(path)
        server = found.get("servers", [{}])[0].get("url", "") if found.get("servers") else ""
        yield re.sub(r"^https?://[^/]+", "", server), found


def parameter_names(caller: Caller) -> list[str]:
    """Every query parameter that the documents tell of."""
    text = json.dumps([found for _, found in documents(caller)])
    told = re.findall(r'\{[^{}]*"in": "query"[^{}]*', text)
    names = {match[1] for one in told if (match := re.search(r'"name": "([^"]+)"', one))}
    return sorted(names | {"f", "lang", "v", "no_such"})


def own_parameters(caller: Caller) -> dict[str, list[str]]:
    """By method and path, places left blank: the query parameters that the documents tell of there."""
    found = {}
    for begin, told in documents(caller):
        for path, operations in told["paths"].items():
            for method, operation in operations.items():
                if method not in {"get", "post", "put", "patch", "delete"}:
                    continue
                given = [*operations.get("parameters", ()), *operation.get("parameters", ())]
                whole = [_followed(told, one) for one in given]
                names = [one["name"] for one in whole if one["in"] == "query"]
                found[_blank(f"{method.upper()} {begin}{path}")] = names
    return found


def _followed(told: dict, part: dict) -> dict:
    """The part of a document that a reference names, or the part itself."""
    if "$ref" not in part:
        return part
    found = told
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _blank(route: str) -> str:
    return LAYER.sub("", PLACE.sub("", route)).replace(" /", " ")


def by_hand(caller: Caller) -> dict[str, st.SearchStrategy[Sent]]:
    """For every route of the URL conf: likely values in its places, mostly its own parameters behind, or any."""
    names, own = parameter_names(caller), own_parameters(caller)
    found = {}
    for route in sorted(doors.routes()):
        if not LEFT_OUT.search(route):
            method, _, pattern = route.partition(" ")
            found[route] = _requests_of(method, pattern, own.get(_blank(route), names), names)
    return found


def _requests_of(method: str, pattern: str, own: list[str], names: list[str]) -> st.SearchStrategy[Sent]:
    known = st.lists(st.sampled_from(own), max_size=4, unique=True) if own else st.just([])
    listed = [known] * 9 + [st.lists(st.sampled_from(names), max_size=4, unique=True)]

    @st.composite
    def drawn(draw) -> Sent:
        path = PLACE.sub(lambda place: quote(draw(value_of(place[1] or place[2])), safe=""), pattern)
        chosen = draw(st.one_of(listed))
        query = urlencode([(name, draw(value_of(name))) for name in chosen])
        body = draw(BODY) if method not in {"GET", "HEAD"} else None
        return Sent(method, f"/{path}{'?' if query else ''}{query}", body)

    return drawn()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD | TEXT, inner, max_size=3),
    max_leaves=6,
)
_EDIT = st.fixed_dictionaries(
    {"op": st.sampled_from(["insert", "update", "delete"])},
    optional={
        "fid": st.integers(1, 7),
        "version": st.sampled_from([1, 2, 2**30 + 2, 2**30 + 3]),
        "properties": st.dictionaries(FIELD, TEXT | st.integers(-5, 70) | st.none(), max_size=2),
        "split_from": st.integers(-2, 7),
        "merged_into": st.integers(-2, 7),
    },
)
_CHOICE = st.fixed_dictionaries(
    {
        "layer": st.sampled_from(LAYERS),
        "fid": st.integers(1, 7),
        "version": st.sampled_from([1, 2, None]),
        "part": FIELD | st.sampled_from(["geometry", "period", "feature"]),
        "take": st.sampled_from(["ours", "theirs", "other"]),
    },
    optional={"value": TEXT | st.integers()},
)
# Bodies that changesets take.
_MEANT = st.one_of(
    st.fixed_dictionaries(
        {"layer": st.sampled_from(LAYERS), "edits": st.lists(_EDIT, min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries({"choices": st.lists(_CHOICE, min_size=1, max_size=2)}),
    st.fixed_dictionaries({}, optional={"reason": TEXT, "counter": st.integers(0, 4)}),
    st.fixed_dictionaries({"title": TEXT}, optional={"shared": st.booleans()}),
    st.fixed_dictionaries(
        {"type": st.just("Feature"), "properties": st.dictionaries(FIELD, TEXT | st.integers(), max_size=2)}
    ),
)
BODY = st.one_of(
    _MEANT.map(json.dumps),
    _JSON.map(json.dumps),
    TEXT,
    st.sampled_from(["[" * 5_000, '{"a": NaN}', '{"a": 1, "a": 2}']),
)


def by_document(caller: Caller) -> dict[str, st.SearchStrategy[Sent]]:
    """For every operation of the OpenAPI documents: what schemathesis makes of it, rightly and wrongly."""
    found = {}
    for begin, told in documents(caller):
        for one in schemathesis.openapi.from_dict(told).get_all_operations():
            operation = one.ok()
            name = f"{operation.method.upper()} {begin}{operation.path}"
            if not LEFT_OUT.search(name):
                ways = [operation.as_strategy(mode) for mode in GenerationMode]
                found[name] = st.one_of(ways).map(lambda case, begin=begin: _sent(case, begin))
    return found


def _sent(case: schemathesis.Case, begin: str) -> Sent:
    kept = case.as_transport_kwargs(base_url=f"{HOST}{begin}")
    words = {name: kept[name] for name in ("method", "url", "params", "json", "data") if name in kept}
    ready = requests.Request(**words).prepare()
    # Every other number of a changeset is one that there is.
    path = re.sub(r"(?<=/changesets/)(\d+[02468])(?=/|$)", lambda one: _there(int(one[1])), ready.path_url)
    return Sent(str(ready.method), path, ready.body)
