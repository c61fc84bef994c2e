"""Who is to see what through which door: the table of the doors, and the layers and callers that try it."""

import json
import re
from dataclasses import dataclass

import pytest

from layers.actions import delete_layer
from layers.exchange.exports import MEDIA
from layers.models import Layer
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant
from tests.people import Caller

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
LAYERS = ("open_ground", "own_ground", "column_ground", "area_ground", "sensitive_ground", "gone_ground")
ASKING = ("public", "dept_a", "dept_b", "fields_only", "area_only", "editor", "admin", "nobody")
EVERY = "view,query,download,edit,publish,admin"

ALL, WEST_ONLY, NO_REMARK = "everything", "west", "no remark"
# What each caller sees of each layer, and by which actions; what is not named here does not exist for the caller.
SEES = {
    "open_ground": {
        **dict.fromkeys(ASKING, (ALL, "view,query")),
        "dept_a": (ALL, "view,query,download"),
        "admin": (ALL, EVERY),
    },
    "own_ground": {
        "dept_a": (ALL, "view,query,download"),
        "editor": (ALL, "view,query,edit,publish"),
        "admin": (ALL, EVERY),
    },
    "column_ground": {
        "dept_a": (ALL, "view,query,download"),
        "fields_only": (NO_REMARK, "view,query,download"),
        "admin": (ALL, EVERY),
    },
    "area_ground": {
        "dept_a": (ALL, "view,query,download"),
        "area_only": (WEST_ONLY, "view,query,download"),
        "editor": (WEST_ONLY, "view,query,edit,publish"),
        "admin": (ALL, EVERY),
    },
    "sensitive_ground": {"admin": (ALL, EVERY)},
    "gone_ground": {},
}


@dataclass(frozen=True)
class Door:
    """A door to one layer: the right it needs, and the requests that try it."""

    needs: str
    paths: tuple[str, ...]
    method: str = "GET"
    body: dict | None = None
    shows: bool = False  # whether features themselves come out


HERE = "/ogc/collections/{name}"
ITEMS = f"{HERE}/items"
NOTHING_TO_SHOW = {"reason": "matrix", "edits": [{"op": "update", "fid": 999_999, "version": 1}]}
AT_EAST = "/api/identify?x=511923.4567&y=2501200&crs=EPSG:4547&tolerance=1000&layers={name}"
LAYER_DOORS = {
    "GET ogc/collections/<str:name>": Door("view", (HERE, f"{HERE}?f=html")),
    "GET ogc/collections/<str:name>/items": Door(
        "query",
        (
            ITEMS,
            f"{ITEMS}?f=html",
            f"{ITEMS}?crs=EPSG:4547",
            f"{ITEMS}?crs=EPSG:3857&as-of=rev:1",
            f"{ITEMS}?bbox=100,10,130,40&limit=10000",
            f"{ITEMS}?amount=40",
            f"{ITEMS}?datetime=../..",
            f"{ITEMS}?filter=amount%3D40%20OR%20name%20LIKE%20'CANARY%25'&sortby=-fid&properties=name",
            f"{ITEMS}?filter=secret_remark%20IS%20NOT%20NULL",
            f"{ITEMS}?filter=S_INTERSECTS(geometry,BBOX(10,100,40,130))&filter-crs=EPSG:4326",
            f"{ITEMS}?filter=amount%3D",
            f"{ITEMS}?sortby=secret_remark",
            f"{ITEMS}?properties=secret_remark,name",
        ),
        shows=True,
    ),
    # Written into a changeset, and these name none of theirs; one that is there: tests/layers/test_doors_kinds.py
    "POST ogc/collections/<str:name>/items": Door(
        "edit", (ITEMS, f"{ITEMS}?changeset=99999"), "POST", {"type": "Feature"}
    ),
    "PUT ogc/collections/<str:name>/items/<str:fid>": Door(
        "edit", (f"{ITEMS}/4", f"{ITEMS}/4?changeset=99999"), "PUT", {"type": "Feature"}
    ),
    "PATCH ogc/collections/<str:name>/items/<str:fid>": Door("edit", (f"{ITEMS}/4",), "PATCH", {}),
    "DELETE ogc/collections/<str:name>/items/<str:fid>": Door("edit", (f"{ITEMS}/4",), "DELETE"),
    "GET ogc/collections/<str:name>/items/<str:fid>": Door(
        "query", (f"{ITEMS}/1", f"{ITEMS}/4", f"{ITEMS}/4?f=html", f"{ITEMS}/4?as-of=rev:1", f"{ITEMS}/x")
    ),
    "GET ogc/collections/<str:name>/schema": Door("query", (f"{HERE}/schema", f"{HERE}/schema?f=html")),
    "GET ogc/collections/<str:name>/queryables": Door("query", ("/ogc/collections/{name}/queryables",)),
    "GET ogc/collections/<str:name>/sortables": Door("query", ("/ogc/collections/{name}/sortables",)),
    "GET ogc/collections/<str:name>/changes": Door(
        "query",
        ("/ogc/collections/{name}/changes", "/ogc/collections/{name}/changes?since=0&limit=1"),
        shows=True,
    ),
    "GET ogc/collections/<str:name>/tiles": Door("view", ("/ogc/collections/{name}/tiles",)),
    "GET ogc/collections/<str:name>/tiles/<str:grid>": Door(
        "view", ("/ogc/collections/{name}/tiles/CityGrid", "/ogc/collections/{name}/tiles/NoGrid")
    ),
    "GET ogc/collections/<str:name>/tiles/<str:grid>/<str:z>/<str:y>/<str:x>": Door(
        "view",
        ("/ogc/collections/{name}/tiles/CityGrid/5/15/9", "/ogc/collections/{name}/tiles/CityGrid/5/15/12"),
    ),
    "GET tiles/<str:name>/<str:grid>/<str:z>/<str:x>/<str:y>.mvt": Door(
        "view",
        (
            "/tiles/{name}/CityGrid/5/9/15.mvt",
            "/tiles/{name}/CityGrid/5/12/15.mvt",
            "/tiles/{name}/CityGrid/0/0/0.mvt?datetime=2026-01-01",
            "/tiles/{name}/WebMercatorQuad/0/0/0.mvt?as-of=rev:1",
            "/tiles/{name}/NoGrid/0/0/0.mvt",
            "/tiles/{name}/CityGrid/0/0/7.mvt",
            "/tiles/{name}/CityGrid/0/0/0.mvt?v=x",
            "/tiles/{name}/CityGrid/0/0/0.mvt?unknown=1",
        ),
    ),
    # Rows of a test are seen by its own connection alone: pictures themselves are looked at in tests/tiles.
    "GET tiles/<str:name>/<str:grid>/<str:z>/<str:x>/<str:y>.<str:suffix>": Door(
        "view", ("/tiles/{name}/NoGrid/0/0/0.png", "/tiles/{name}/CityGrid/0/0/0.gif")
    ),
    "GET catalogue/<str:name>/": Door("view", ("/catalogue/{name}/", "/catalogue/{name}/?lang=en")),
    "GET catalogue/<str:name>/download<str:suffix>": Door(
        "download", tuple(f"/catalogue/{{name}}/download{suffix}" for suffix in (*MEDIA, ".exe")), shows=True
    ),
    "POST api/layers/<name>/exports": Door(
        "download", ("/api/layers/{name}/exports",), "POST", {"format": "no-such-format"}
    ),
    "GET api/identify": Door("query", (AT_EAST,)),
    "GET api/layers/<name>/features/<fid:fid>/history": Door(
        "query", ("/api/layers/{name}/features/1/history", "/api/layers/{name}/features/4/history")
    ),
    "GET api/layers/<name>/features/<fid:fid>/related": Door(
        "query", ("/api/layers/{name}/features/1/related", "/api/layers/{name}/features/4/related")
    ),
    "POST api/layers/<name>/changes": Door("edit", ("/api/layers/{name}/changes",), "POST", NOTHING_TO_SHOW),
    "PATCH api/layers/<name>/features/<fid:fid>": Door(
        "edit", ("/api/layers/{name}/features/4",), "PATCH", {}
    ),
    "DELETE api/layers/<name>/features/<fid:fid>": Door("edit", ("/api/layers/{name}/features/4",), "DELETE"),
    "POST api/layers/<name>/features/<fid:fid>/restore": Door(
        "publish", ("/api/layers/{name}/features/4/restore",), "POST", {"revision": 1}
    ),
    "POST api/layers/<name>/undo": Door("publish", ("/api/layers/{name}/undo",), "POST", {"revision": 99}),
    "GET api/layers/<name>/quality": Door("publish", ("/api/layers/{name}/quality",)),
    "POST api/layers/<name>/quality/run": Door("publish", ("/api/layers/{name}/quality/run",), "POST"),
    "GET api/layers/<name>/about": Door("publish", ("/api/layers/{name}/about",)),
    "PUT api/layers/<name>/metadata": Door(
        "publish", ("/api/layers/{name}/metadata",), "PUT", {"document": {"no_such_part": ""}}
    ),
    "POST api/layers/<name>/indexes": Door(
        "publish", ("/api/layers/{name}/indexes",), "POST", {"fields": ["no_such_field"]}
    ),
    "POST api/layers/<name>/metadata/approve": Door(
        "publish", ("/api/layers/{name}/metadata/approve",), "POST", {"number": 99}
    ),
    "GET api/layers/<name>/styles": Door("publish", ("/api/layers/{name}/styles",)),
    "GET api/layers/<name>/styles/<style>/<int:number>": Door(
        "publish", ("/api/layers/{name}/styles/default/99",)
    ),
    "PUT api/layers/<name>/styles/<style>": Door(
        "publish", ("/api/layers/{name}/styles/default",), "PUT", {"document": {"kind": "no_such_kind"}}
    ),
    "POST api/layers/<name>/styles/<style>/publish": Door(
        "publish", ("/api/layers/{name}/styles/default/publish",), "POST", {"number": 99}
    ),
    "GET api/layers/<name>/revisions": Door("publish", ("/api/layers/{name}/revisions",)),
    "GET api/layers/<name>/grants": Door("admin", ("/api/layers/{name}/grants",)),
    "POST api/layers/<name>/grants": Door(
        "admin", ("/api/layers/{name}/grants",), "POST", {"to": "user:never_made", "actions": ["view"]}
    ),
    "DELETE api/layers/<name>/grants/<int:number>": Door(
        "admin", ("/api/layers/{name}/grants/99999999",), "DELETE"
    ),
    "GET api/layers/<name>/access": Door("admin", ("/api/layers/{name}/access",)),
    "GET api/layers/<name>/access/<who>": Door("admin", ("/api/layers/{name}/access/public",)),
    "DELETE api/layers/<name>": Door("admin", ("/api/layers/{name}",), "DELETE"),
}
# Doors that are about no one layer: the requests that try them.
OTHER_DOORS = {
    "GET ": ("/", "/?lang=en"),
    "GET data/": ("/data/", "/data/?lang=en"),
    "GET healthz": ("/healthz",),
    "GET ogc": ("/ogc",),
    "GET ogc/": ("/ogc/", "/ogc/?f=html"),
    "GET ogc/conformance": ("/ogc/conformance", "/ogc/conformance?f=html"),
    "GET ogc/api": ("/ogc/api", "/ogc/api?f=html"),
    "GET ogc/collections": ("/ogc/collections", "/ogc/collections?f=html", "/ogc/collections?f=html&lang=en"),
    "GET ogc/tileMatrixSets": ("/ogc/tileMatrixSets",),
    "GET ogc/tileMatrixSets/<str:grid>": ("/ogc/tileMatrixSets/CityGrid", "/ogc/tileMatrixSets/NoGrid"),
    "GET services/wms": (
        "/services/wms?SERVICE=WMS&REQUEST=GetCapabilities",
        "/services/wms?SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.1.1",
    ),
    "GET services/wmts": ("/services/wmts?SERVICE=WMTS&REQUEST=GetCapabilities",),
    "GET services/wmts/1.0.0/WMTSCapabilities.xml": ("/services/wmts/1.0.0/WMTSCapabilities.xml",),
    "GET services/wmts/rest/<str:layer>/<str:style>/<str:grid>/<str:z>/<str:row>/<str:column>.<str:suffix>": (
        "/services/wmts/rest/hidden_ground/default/CityGrid/0/0/0.png",
        "/services/wmts/rest/open_ground/default/NoGrid/0/0/0.png",
    ),
    "GET catalogue/": ("/catalogue/", "/catalogue/?q=ground", "/catalogue/?q=TITLE"),
    "GET api/map": ("/api/map",),
    "GET api/layers": ("/api/layers",),
    "GET api/identify": ("/api/identify?x=511923.4567&y=2501200&tolerance=1000",),
    "GET api/session": ("/api/session",),
    "GET api/code-lists": ("/api/code-lists",),
    "GET api/code-lists/<code>/<edition>": (
        "/api/code-lists/landuse-sd/2023",
        "/api/code-lists/landuse-sd/none",
    ),
    "GET api/code-lists/<code>/<edition>/mapping/<code2>/<edition2>": (
        "/api/code-lists/landuse-survey/2020/mapping/gbt21010/2017",
    ),
    "POST api/code-lists/<code>/<edition>": (),  # tests/layers/test_codes.py
    "PUT api/code-lists/<code>/<edition>": (),
    # Layers of features are no rasters; rasters themselves: tests/layers/test_doors_kinds.py
    "GET api/rasters": ("/api/rasters",),
    "GET api/rasters/<name>": ("/api/rasters/own_ground", "/api/rasters/never_made"),
    "GET api/rasters/<name>/value": ("/api/rasters/own_ground/value?x=511923&y=2501200",),
    "GET api/rasters/<name>/profile": ("/api/rasters/own_ground/profile?line=500000 2500000,510000 2500000",),
    "GET api/rasters/<name>/window": ("/api/rasters/own_ground/window?bbox=500000,2500000,510000,2510000",),
    "POST api/login": (),  # tests/accounts/test_views.py
    "POST api/logout": (),
    "GET api/jobs/<job_id>": ("/api/jobs/{job}", "/api/jobs/999999"),
    "POST api/jobs/<job_id>/cancel": (),  # below
    "GET api/exports/<int:job>": ("/api/exports/1", "/api/exports/99999999999999999999"),
    "GET api/exports/<int:job>/file": ("/api/exports/1/file",),  # tests/layers/test_doors_kinds.py
    "POST api/uploads": (),  # tests/process/test_uploads.py
    "GET api/uploads/<token>": ("/api/uploads/0123456789abcdef",),
    "HEAD api/uploads/<token>": ("/api/uploads/0123456789abcdef",),
    "PATCH api/uploads/<token>": ("/api/uploads/0123456789abcdef",),
    "DELETE api/uploads/<token>": ("/api/uploads/0123456789abcdef",),
    "GET api/departments": ("/api/departments",),
    "PUT api/departments/<code>": (),  # tests/accounts/test_people_views.py
    "POST api/departments/<code>/merge": (),
    "GET api/people/template.xlsx": ("/api/people/template.xlsx",),
    "POST api/people": (),  # tests/accounts/test_people_views.py
    "GET api/deliveries": ("/api/deliveries", "/api/deliveries?state=checked&offset=2"),
    "POST api/deliveries": (),  # tests/layers/test_deliveries.py
    "GET api/deliveries/<int:number>": ("/api/deliveries/1", "/api/deliveries/99999999999999999999"),
    "POST api/deliveries/<int:number>/answers": (),
    "POST api/deliveries/<int:number>/accept": (),
    "POST api/deliveries/<int:number>/refuse": (),
    "POST api/deliveries/<int:number>/withdraw": (),
    "GET api/deliveries/<int:number>/findings": ("/api/deliveries/1/findings",),
    "GET api/deliveries/<int:number>/findings.gpkg": ("/api/deliveries/1/findings.gpkg",),
    "GET api/deliveries/<int:number>/verdict.pdf": ("/api/deliveries/1/verdict.pdf",),
    "GET api/deliveries/<int:number>/package.zip": ("/api/deliveries/1/package.zip",),
    "GET api/deliveries/<int:number>/parts/<int:order>/diff": ("/api/deliveries/1/parts/1/diff?op=update",),
    "GET api/delivery-profiles": ("/api/delivery-profiles",),
    "GET api/styles/schema": ("/api/styles/schema",),
    "GET api/delivery-profiles/schema": ("/api/delivery-profiles/schema",),
    "PUT api/delivery-profiles/<slug:code>": (),
    "GET api/pulls": ("/api/pulls",),
    "POST api/pulls": ("/api/pulls",),  # tests/layers/exchange/pulls/test_pulls.py
    "PUT api/pulls/<int:number>": ("/api/pulls/1",),
    "DELETE api/pulls/<int:number>": ("/api/pulls/1",),
    "POST api/pulls/<int:number>/run": ("/api/pulls/1/run",),
    "GET api/quality": ("/api/quality", "/api/quality?layer=own_ground&aside=true&offset=5"),
    "POST api/quality/<int:number>/set-aside": (),  # tests/layers/test_quality.py
    # What each sees of a changeset: tests/layers/test_changesets_api.py, test_doors_changesets.py
    "GET api/changesets": (
        "/api/changesets",
        "/api/changesets?layer=own_ground&state=submitted&mine=true&offset=1",
        "/api/changesets?layer=sensitive_ground",
    ),
    "POST api/changesets": (),
    "GET api/changesets/<int:number>": ("/api/changesets/1", "/api/changesets/99999999999999999999"),
    "PATCH api/changesets/<int:number>": (),
    "POST api/changesets/<int:number>/edits": (),
    "DELETE api/changesets/<int:number>/features/<layer>/<fid:fid>": (),
    "GET api/changesets/<int:number>/diff": (
        "/api/changesets/1/diff",
        "/api/changesets/1/diff?layer=sensitive_ground",
    ),
    "GET api/changesets/<int:number>/conflicts": ("/api/changesets/1/conflicts",),
    "POST api/changesets/<int:number>/merge": (),
    "POST api/changesets/<int:number>/resolve": (),
    "POST api/changesets/<int:number>/submit": (),
    "POST api/changesets/<int:number>/withdraw": (),
    "POST api/changesets/<int:number>/return": (),
    "POST api/changesets/<int:number>/approve": (),
    "POST api/changesets/<int:number>/abandon": (),
    "POST api/changesets/<int:number>/publish": (),
    "POST api/changesets/<int:number>/revert": (),
    # Who may bring a layer back is told of it; the page after the last tells of none.
    "GET api/shelf": ("/api/shelf?offset=50",),
    "POST api/layers/<name>/restore": (),  # tests/layers/test_keeping.py
    "GET api/docs": ("/api/docs",),
    "GET api/openapi.json": ("/api/openapi.json",),
    "GET api/": ("/api/",),
}
LISTS = {
    "GET ogc/collections",
    "GET services/wms",
    "GET services/wmts",
    "GET catalogue/",
    "GET api/layers",
    "GET ogc/api",
}


@pytest.fixture(scope="module")
def callers(kept) -> dict[str, Caller]:
    offices = people.offices()
    return {
        "public": Caller("public"),
        "dept_a": people.program(offices["transport"]),
        "dept_b": people.program(offices["water"]),
        "fields_only": people.program(offices["planning"]),
        "area_only": people.program(offices["emergency"]),
        "editor": people.person("editor_ed", offices["data"], ["editor"]),
        "admin": people.person("root", offices["city"], clearance="sensitive", is_superuser=True),
        "nobody": people.person("nobody"),
    }


@pytest.fixture(scope="module")
def refused(callers) -> dict[str, Caller]:
    offices = people.offices()
    return {
        "revoked": people.revoked(offices["transport"]),
        "expired": people.expired(offices["transport"]),
        "suspended": people.suspended(offices["city"]),
        "unknown": Caller("unknown", key="omk_" + "x" * 43),
        "malformed": Caller("malformed", key="密钥 \x7f"),
    }


@pytest.fixture(scope="module")
def world(callers) -> dict[str, Layer]:
    """The six layers; every value, title, field name and place says to which layer it belongs."""
    made = {}
    for index, name in enumerate(LAYERS):
        rows = [
            {
                **row,
                f"remark_{name}": row.pop("secret_remark"),
                "geometry": layermaking.square(*corner_of(index, n)),
            }
            for n, row in enumerate(layermaking.ground(name), 1)
        ]
        told = {"title": f"TITLE-{name}", "title_en": f"TITLE-{name} en", "abstract_zh": f"ABSTRACT-{name}"}
        secrecy = {"open_ground": "public", "gone_ground": "public", "sensitive_ground": "sensitive"}
        style = {
            "categories": {"field": f"remark_{name}", "values": {f"SECRET-{name}-1": {"fill": "#ff0000"}}}
        }
        made[name] = layermaking.make_layer(
            name,
            rows,
            secrecy=secrecy.get(name, "internal"),
            style=style,
            label_field=f"remark_{name}",
            **told,
        )
    give_rights(made)
    delete_layer(made["gone_ground"], by="tests")
    return made


def give_rights(made: dict[str, Layer]) -> None:
    for name in (
        "open_ground",
        "own_ground",
        "column_ground",
        "area_ground",
        "sensitive_ground",
        "gone_ground",
    ):
        grant(made[name], "department:transport", "view,query,download")
    for name in ("open_ground", "sensitive_ground", "gone_ground"):
        grant(made[name], "public", "view,query")
    grant(made["sensitive_ground"], "department:water", "view,query,download")
    grant(made["own_ground"], "role:editor", "view,query,edit,publish")
    grant(made["area_ground"], "role:editor", "view,query,edit,publish", area=area(*WEST_BOX))
    grant(made["area_ground"], "department:emergency", "view,query,download", area=area(*WEST_BOX))
    shown = ["name", "amount", "ratio", "day", "seen", "open"]
    grant(made["column_ground"], "department:planning", "view,query,download", fields=shown)
    grant(made["gone_ground"], "department:city", EVERY)


def corner_of(index: int, number: int) -> tuple[float, float]:
    """Where feature `number` of layer `index` lies: the first three in the west."""
    side = WEST if number <= 3 else layermaking.EAST
    return side + 123.4567 + 300 * number + 17.1234 * index, NORTH + 300 * number + 0.7654 + 23.4321 * index


def marks_of(name: str, sees: str | None) -> set[str]:
    """What must not be found in answers to a caller who sees this much of a layer."""
    index = LAYERS.index(name)
    east = {f"CANARY-{name}-east", *(f"SECRET-{name}-{number}" for number in (4, 5, 6))}
    for number in (4, 5, 6):
        x, y = corner_of(index, number)
        east |= doors.place_marks((x, y, x + 100, y + 100))
    if sees == ALL:
        return set()
    if sees == WEST_ONLY:
        return east
    remark = {f"remark_{name}", f"SECRET-{name}"}
    if sees == NO_REMARK:
        return remark
    return east | remark | {f"TITLE-{name}", f"ABSTRACT-{name}", f"CANARY-{name}"}


def forbidden_to(asking: str) -> set[str]:
    return set().union(*(marks_of(name, SEES[name].get(asking, (None,))[0]) for name in LAYERS))


def twin_of(name: str) -> str:
    """A name no layer ever had, as long as this one."""
    return "never_made_at_all"[: len(name)]


def ask(caller: Caller, door: Door, path: str):
    return caller.ask(door.method, path, json.dumps(door.body) if door.body is not None else None)


def assert_silent(answer, asking: str) -> None:
    text = doors.readable(answer)
    found = sorted(mark for mark in forbidden_to(asking) if mark in text)
    assert not found, (asking, answer.request["PATH_INFO"], found)
    assert not re.search(r"Traceback|psycopg|SQLSTATE|/usr/|relation \"", text)
    assert answer.status_code < 500 or answer.request["PATH_INFO"] == "/healthz"
