"""Nothing that is sent makes the platform fail, or say what it should not: threats.md V3, P-05, P-06, P-10, P-19."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.models import Change, Layer
from tests import layermaking, people
from tests.layermaking import grant
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

ITEMS = "/ogc/collections/target/items"
TELLTALE = re.compile(r"Traceback|psycopg|SQLSTATE|/usr/|/home/|GDAL_ERROR|relation \"")
REFUSALS = {400, 403, 404, 405, 406, 412, 413, 415, 422, 428}

NUMBERS = [
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "1e400",
    "1_0",
    "１２",
    "٣",
    "0x10",
    "1e308",
    "-0",
    "1,5",
    "",
    " 1",
    "1 ",
    "+",
]
NUMBERS += ["9" * 30, "1e99999", "--1", "1.2.3", "\u00b2", "1\u200b", "1\x00", "\ufeff1"]
INJECTIONS = [
    "1 OR 1=1",
    "'; SELECT pg_sleep(9); --",
    "1; DROP TABLE layers_layer",
    "') OR ('1'='1",
    '" OR ""="',
    "1)--",
]
INJECTIONS += [
    "%27%20OR%201=1",
    "$$x$$",
    "\\'; --",
    "%(as_of)s",
    "%s",
    "{0}",
    "1::int",
    "CAST(1 AS int)",
    "x' AND 1/0=1 --",
]
ODD = [
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass"),
    "\u202e",
    "\r\nX: y",
    "../../etc/passwd",
    "..%2f..%2f",
    "a" * 4_000,
]
ODD += [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:x}",
    "\U0001f3d9",
    "朝阳",
    "layer.1'",
    "file:///etc/passwd",
    "[]",
    "{}",
]
STRINGS = [*NUMBERS, *INJECTIONS, *ODD]

# Every parameter of every door that reads one; {} is where the string goes.
PARAMETERS = [
    *(
        f"{ITEMS}?{name}={{}}"
        for name in ("limit", "bbox", "crs", "datetime", "as-of", "next", "f", "lang", "no_such")
    ),
    *(f"{ITEMS}?{name}={{}}" for name in ("name", "amount", "ratio", "day", "seen", "open")),
    f"{ITEMS}?bbox=1,2,3,{{}}",
    f"{ITEMS}?bbox=113,22,114,23&bbox-crs={{}}",
    f"{ITEMS}?as-of=rev:{{}}",
    f"{ITEMS}?datetime={{}}/..",
    f"{ITEMS}?{{}}=1",
    f"{ITEMS}/{{}}",
    f"{ITEMS}/1?as-of={{}}",
    "/ogc/collections/{}",
    "/ogc/collections/{}/items",
    "/ogc/collections/target/changes?since={}",
    "/ogc/collections/target/changes?next={}",
    "/ogc/collections/target/tiles/{}",
    "/ogc/collections/target/tiles/CityGrid/{}/0/0",
    "/ogc/tileMatrixSets/{}",
    "/tiles/target/CityGrid/{}/0/0.mvt",
    "/tiles/target/CityGrid/0/0/{}.mvt",
    "/tiles/target/CityGrid/0/0/0.mvt?v={}",
    "/tiles/target/CityGrid/0/0/0.mvt?as-of={}",
    "/tiles/target/CityGrid/0/0/0.mvt?datetime={}",
    "/tiles/{}/CityGrid/0/0/0.mvt",
    "/catalogue/?q={}",
    "/catalogue/{}/",
    "/catalogue/target/download{}",
    "/api/identify?x={}&y=1",
    "/api/identify?x=1&y={}&crs=EPSG:4326",
    "/api/identify?x=490500&y=2500300&tolerance={}",
    "/api/identify?x=490500&y=2500300&crs={}",
    "/api/identify?x=490500&y=2500300&layers={}",
    "/api/layers/target/features/{}/history",
    "/api/layers/{}/features/1/history",
    "/api/jobs/{}",
    "/{}",
]


@pytest.fixture(scope="module")
def target(kept):
    people.offices()
    layer = layermaking.make_layer("target", layermaking.ground("target"), public=True)
    return layer


@pytest.fixture(scope="module")
def public(kept):
    return Caller("public")


@pytest.fixture(scope="module")
def editor(kept):
    return people.person("editor_ed", people.offices()["data"], ["editor"])


@pytest.fixture(scope="module")
def writable(editor, target):
    grant(target, "role:editor", "view,query,download,edit,publish")
    return target


def sent(text) -> str:
    return quote(text, safe="")


def assert_calm(answer) -> None:
    body = body_of(answer)
    text = body.decode("utf-8", "replace")
    assert answer.status_code < 500, text[:300]
    assert TELLTALE.search(text) is None
    if answer.status_code >= 400 and answer.status_code != 405:
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = json.loads(body)
        assert problem["status"] == answer.status_code
        assert answer.status_code in REFUSALS | {401}
        assert re.fullmatch("[0-9a-f]{32}", problem["request_id"])
        assert answer.headers["X-Request-Id"] == problem["request_id"]
    assert "\n" not in "".join(map(str, answer.headers.values()))


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_string_in_any_parameter_makes_the_platform_fail(writable, public, path):
    for text in STRINGS:
        assert_calm(public.get(path.replace("{}", sent(text))))
    assert Layer.objects.filter(name="target", revision=1).exists()


@pytest.mark.parametrize("text", [*NUMBERS, *INJECTIONS])
def test_a_feature_id_is_a_number_or_there_is_no_such_feature(writable, public, text):
    answer = public.get(f"{ITEMS}/{sent(text)}")
    assert answer.status_code == 404


@pytest.mark.parametrize("text", [text for text in NUMBERS if text not in {"1e308", "-0"}])
def test_a_box_with_a_part_that_is_no_number_is_refused(writable, public, text):
    for bbox in (f"{text},2,3,4", f"1,2,3,{text}", f"1,2,{text},3,4,5"):
        assert public.get(f"{ITEMS}?bbox={sent(bbox)}").status_code == 400


@pytest.mark.parametrize(
    "bbox",
    [
        "",
        ",",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "3,5,1,4",
        "1;2;3;4",
        "1,2,3,4,EPSG:4326",
        "1,2,3,4,",
        "(1,2,3,4)",
    ]
    + ["1，2，3，4", "1.0,2,0,3,0,4,0", "1e10,2,1e11,4", "1,2,6,3,4,5", "1 2 3 4"],
)
def test_a_box_of_another_shape_is_refused(writable, public, bbox):
    for system in ("", "&bbox-crs=EPSG:4547", "&bbox-crs=EPSG:4326"):
        assert public.get(f"{ITEMS}?bbox={sent(bbox)}{system}").status_code == 400


def test_a_longitude_may_wrap_and_nothing_else_may(writable, public):
    assert public.get(f"{ITEMS}?bbox=170,1,-170,2").status_code == 200
    assert public.get(f"{ITEMS}?bbox=1,170,2,-170&bbox-crs=EPSG:4326").status_code == 200
    assert public.get(f"{ITEMS}?bbox=170,2,-170,1").status_code == 400
    assert public.get(f"{ITEMS}?bbox=2500000,490000,2600000,480000&bbox-crs=EPSG:4547").status_code == 400


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:4490", "EPSG:4547", "CRS84"])
@pytest.mark.parametrize(
    "bbox", ["-1e9,-1e9,1e9,1e9", "-180,-90,180,90", "0,0,0,0", "179,89,180,90", "1e-300,0,1,1"]
)
def test_huge_and_tiny_boxes_are_answered(writable, public, crs, bbox):
    answer = public.get(f"{ITEMS}?bbox={bbox}&bbox-crs={crs}")
    assert answer.status_code == 200
    assert json.loads(body_of(answer))["numberReturned"] in {0, 6}


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:4490", "EPSG:4547"])
@pytest.mark.parametrize(
    "place", [("1e308", "1e308"), ("-1e300", "0"), ("0", "90"), ("1e9", "-1e9"), ("360", "91")]
)
def test_identify_far_away_finds_nothing(writable, public, crs, place):
    answer = public.get(f"/api/identify?x={place[0]}&y={place[1]}&crs={crs}&tolerance=1000")
    assert_calm(answer)
    assert answer.status_code == 400 or json.loads(answer.content) == {"hits": []}


@pytest.mark.parametrize(
    "query", ["x=1&x=2&y=1", "x=1&y=1&layers=target&layers=other", "x=1&y=1&tolerance=1&tolerance=2"]
)
def test_a_repeated_parameter_of_the_json_api_is_refused(writable, public, query):
    answer = public.get(f"/api/identify?{query}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "repeated-parameter")


# --- bodies


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def update(properties: str) -> str:
    """A change of one feature's properties, as text."""
    edit = f'{{"op": "update", "fid": 1, "version": 1, "properties": {properties}}}'
    return f'{{"reason": "x", "edits": [{edit}]}}'


EDIT = '{"op": "update", "fid": 1, "version": 1, "properties": {"amount": 1}}'
BODIES = {
    "nothing": "",
    "no json": "reason=x",
    "cut": '{"reason": "x", "edits": [',
    "a list": "[]",
    "null": "null",
    "a number": "1",
    "deep": nested(100_000),
    "deep inside": f'{{"reason": "x", "edits": [{nested(50_000)}]}}',
    "deep geometry": f'{{"reason": "x", "edits": [{{"op": "insert", "geometry": {{"type": {nested(900)}}}}}]}}',
    "long integer": f'{{"reason": "x", "edits": [{{"op": "delete", "fid": {"9" * 5_000}, "version": 1}}]}}',
    "long value": f'{{"reason": "x", "edits": [{{"op": "update", "fid": 1, "version": 1, "properties": '
    f'{{"amount": {"9" * 5_000}}}}}]}}',
    "NaN": update('{"ratio": NaN}'),
    "Infinity": update('{"ratio": Infinity}'),
    "1e400": update('{"ratio": 1e400}'),
    "twice": f'{{"reason": "x", "reason": "y", "edits": [{EDIT}]}}',
    "twice inside": '{"reason": "x", "edits": [{"op": "delete", "fid": 2, "fid": 1, "version": 1}]}',
    "surrogate reason": f'{{"reason": "\\ud800", "edits": [{EDIT}]}}',
    "NUL reason": f'{{"reason": "\\u0000", "edits": [{EDIT}]}}',
    "surrogate value": update('{"name": "\\udfff"}'),
    "NUL value": update('{"name": "\\u0000"}'),
    "surrogate name": update('{"\\ud800": 1}'),
    "NUL name": update('{"\\u0000": 1}'),
    "braces name": update('{"{x}": 1}'),
    "unknown key": f'{{"reason": "x", "edits": [{EDIT}], "admin": true}}',
    "unknown op": '{"reason": "x", "edits": [{"op": "drop"}]}',
    "no edits": '{"reason": "x", "edits": []}',
    "many edits": json.dumps({"reason": "x", "edits": [{"op": "delete", "fid": 1, "version": 1}] * 2_001}),
    "float fid": '{"reason": "x", "edits": [{"op": "delete", "fid": 1.5, "version": 1}]}',
    "text fid": '{"reason": "x", "edits": [{"op": "delete", "fid": "1 OR 1=1", "version": 1}]}',
    "fid 0": '{"reason": "x", "edits": [{"op": "delete", "fid": 0, "version": 1}]}',
    "no version": '{"reason": "x", "edits": [{"op": "delete", "fid": 1}]}',
    "no reason": f'{{"edits": [{EDIT}]}}',
    "same twice": f'{{"reason": "x", "edits": [{EDIT}, {EDIT}]}}',
    "injection": update('{"name = 1; --": 1}'),
    "list value": update('{"name": ["a"]}'),
    "year 0": update('{"day": "0000-01-01"}'),
    "bad period": '{"reason": "x", "edits": [{"op": "delete", "fid": 1, "version": 1, "since": "2026-02-30"}]}',
    "utf-16": f'{{"reason": "x", "edits": [{EDIT}]}}'.encode("utf-16"),
    "latin-1": '{"reason": "é", "edits": []}'.encode("latin-1"),
    "bom": b"\xef\xbb\xbf" + f'{{"reason": "", "edits": [{EDIT}]}}'.encode(),
}
# What is wrong with a geometry, as GeoJSON text.
GEOMETRIES = [
    "{}",
    '{"type": "Polygon"}',
    '{"type": "Polygon", "coordinates": []}',
    '{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}',
    '{"type": "Polygon", "coordinates": [[[114, 22.5], [114.1, 22.5], [114, 22.6], [114.1, 22.6], [114, 22.5]]]}',
    '{"type": "Polygon", "coordinates": [[[114, 22.5], [114.1, 22.5], [114, 22.6]]]}',
    '{"type": "Polygon", "coordinates": [[[1e308, 0], [1e308, 1], [0, 1], [1e308, 0]]]}',
    '{"type": "Polygon", "coordinates": [[[NaN, 0], [1, 1], [0, 1], [NaN, 0]]]}',
    '{"type": "Polygon", "coordinates": [[[1e400, 0], [1, 1], [0, 1], [1e400, 0]]]}',
    '{"type": "Polygon", "coordinates": [[["1", "2"], [1, 1], [0, 1], ["1", "2"]]]}',
    '{"type": "Polygon", "coordinates": [[[0, -9e8], [180, 0], [180, 90], [0, 90], [0, -9e8]]]}',
    '{"type": "Polygon", "coordinates": [[[114, 22.5, 1], [114.1, 22.5, 1], [114.1, 22.6, 1], [114, 22.5, 1]]]}',
    '{"type": "Point", "coordinates": [114, 22.5]}',
    '{"type": "Point", "coordinates": []}',
    '{"type": "GeometryCollection", "geometries": []}',
    '{"type": "Feature", "geometry": null}',
    '{"type": "Polygon\\u0000", "coordinates": []}',
    '{"type": "Polygon", "crs": {"type": "name", "properties": {"name": "/etc/passwd"}}, "coordinates": [[[0,0]]]}',
    '{"type": "CircularString", "coordinates": [[0, 0], [1, 1], [2, 0]]}',
    '{"type": ["Polygon"], "coordinates": {}}',
]


@pytest.mark.parametrize("name", BODIES)
def test_no_body_makes_the_platform_fail(writable, editor, name):
    body = BODIES[name]
    for method, path in (
        ("POST", "/api/layers/target/changes"),
        ("POST", "/api/layers/target/undo"),
        ("POST", "/api/layers/target/features/1/restore"),
        ("POST", "/api/login"),
        ("PATCH", "/api/layers/target/features/1"),
    ):
        headers = {"if_match": '"1"'} if method == "PATCH" else {}
        answer = editor.ask(method, path, body, **headers)
        assert_calm(answer)
        assert answer.status_code >= 400, (method, path, body_of(answer)[:200])
    assert Layer.objects.get(name="target").revision == 1
    assert Change.objects.filter(layer__name="target").count() == 1


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_geometry_makes_the_platform_fail(writable, editor, geometry):
    for crs in (None, "<http://www.opengis.net/def/crs/EPSG/0/4490>", "EPSG:3857", "EPSG:4547"):
        body = f'{{"reason": "x", "edits": [{{"op": "insert", "geometry": {geometry}}}]}}'
        answer = editor.ask(
            "POST", "/api/layers/target/changes", body, **({"content_crs": crs} if crs else {})
        )
        assert_calm(answer)
        assert answer.status_code in {400, 422}
    assert Layer.objects.get(name="target").revision == 1


@pytest.mark.parametrize(
    "value", ["", "1", '"x"', '"１"', '"-1"', "*", '"1", "2"', '"' + "9" * 50 + '"', "W/", "\x00", '"2"']
)
def test_if_match_that_is_no_version_is_refused(writable, editor, value):
    body = '{"reason": "x", "properties": {"name": "changed"}}'
    answer = editor.ask("PATCH", "/api/layers/target/features/1", body, if_match=value)
    assert_calm(answer)
    assert answer.status_code in ({200} if value == "1" else {400, 412})


@pytest.mark.parametrize("value", [text for text in STRINGS if isinstance(text, str)])
def test_content_crs_of_any_text_is_refused_or_known(writable, editor, value):
    body = '{"reason": "x", "edits": [{"op": "insert", "geometry": {"type": "Point", "coordinates": [114, 22]}}]}'
    answer = editor.ask("POST", "/api/layers/target/changes", body, content_crs=value)
    assert_calm(answer)
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("fid", [*NUMBERS, *INJECTIONS, "0", "-1", "9223372036854775808", "1.0"])
def test_a_feature_id_in_the_json_api_is_a_number_or_there_is_no_such_feature(writable, editor, fid):
    for method, tail, body in (
        ("GET", "/history", None),
        ("PATCH", "", '{"reason": "x", "properties": {"amount": 77}}'),
        ("DELETE", "", None),
        ("POST", "/restore", '{"revision": 1}'),
    ):
        answer = editor.ask(method, f"/api/layers/target/features/{sent(fid)}{tail}", body, if_match='"1"')
        assert_calm(answer)
        assert answer.status_code in {400, 404}, (method, fid)
    assert Layer.objects.get(name="target").revision == 1


def test_a_body_over_the_limit_is_413(writable, editor):
    body = '{"reason": "' + "x" * 20_000_001 + '", "edits": []}'
    answer = editor.ask("POST", "/api/layers/target/changes", body)
    assert answer.status_code == 413
    assert json.loads(answer.content)["code"] == "body-too-large"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80@localhost", "localhost/x", "a b", "[::1"])
def test_a_host_that_is_not_ours_is_refused(writable, public, host):
    answer = public.get("/ogc/", host=host)
    assert answer.status_code == 400
    assert host.encode() not in answer.content


def test_forwarded_headers_change_no_address(writable, public):
    plain = public.get("/ogc/collections/target").content
    spoofed = public.get(
        "/ogc/collections/target", x_forwarded_host="evil.example", x_forwarded_proto="https"
    ).content
    assert spoofed == plain


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Basic", "Basic !!!", "Basic OnA", "x" * 10_000, "Bearer \x00", "密钥"]
)
def test_an_authorization_that_cannot_be_read_is_401(writable, public, value):
    answer = public.get(ITEMS, authorization=value)
    assert_calm(answer)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "accept", ["", ",", ";", "a/b;q=９", "*/*;q=" + "1" * 400, "/", "text/html;" * 1000, "\x00"]
)
def test_any_accept_is_read(writable, public, accept):
    assert_calm(public.get(ITEMS, accept=accept))
    assert_calm(public.get("/ogc/", accept_language=accept))


CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
NUMBERISH = st.from_regex(r"\A[-+0-9.eE,naif ]{0,40}\Z")


@given(st.one_of(TEXT, NUMBERISH), st.sampled_from(["", "&bbox-crs=EPSG:4547", "&bbox-crs=EPSG:3857"]))
@settings(max_examples=80, **CALM)
def test_any_text_as_bbox(writable, public, text, system):
    answer = public.get(f"{ITEMS}?limit=1&bbox={sent(text)}{system}")
    assert_calm(answer)
    assert answer.status_code in {200, 400}


@given(st.sampled_from(["datetime", "as-of", "crs", "next", "limit", "amount", "seen", "day"]), TEXT)
@settings(max_examples=80, **CALM)
def test_any_text_as_parameter(writable, public, name, text):
    answer = public.get(
        f"{ITEMS}?limit=1&{name}={sent(text)}" if name != "limit" else f"{ITEMS}?limit={sent(text)}"
    )
    assert_calm(answer)
    assert answer.status_code in {200, 400}


@given(st.tuples(*[st.floats(-1e9, 1e9, allow_nan=False)] * 4), st.sampled_from([4326, 3857, 4490, 4547]))
@settings(max_examples=60, **CALM)
def test_any_finite_box_is_answered(writable, public, numbers, srid):
    a, b, c, d = numbers
    bbox = f"{min(a, c)!r},{min(b, d)!r},{max(a, c)!r},{max(b, d)!r}"
    answer = public.get(f"{ITEMS}?limit=1&bbox={bbox}&bbox-crs=EPSG:{srid}")
    assert answer.status_code == 200
    assert json.loads(body_of(answer))["numberMatched"] >= 0


@given(TEXT)
@settings(max_examples=50, **CALM)
def test_any_text_as_feature_id(writable, public, text):
    answer = public.get(f"{ITEMS}/{sent(text)}")
    assert_calm(answer)
    assert answer.status_code == 404 or re.fullmatch("[1-6]?", text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
@settings(max_examples=60, **CALM)
def test_any_json_as_an_edit(writable, editor, geometry, name, amount):
    edit = {"op": "insert", "geometry": geometry, "properties": {"name": name, "amount": amount}}
    answer = editor.ask("POST", "/api/layers/target/changes", json.dumps({"reason": "x", "edits": [edit]}))
    assert_calm(answer)
    assert answer.status_code in {400, 422}
