"""No body, geometry or header of a write makes the platform fail: threats.md V3, P-06, P-19."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.models import Change, Layer
from tests.hostility import CALM, INJECTIONS, NUMBERS, STRINGS, WRONG_FIDS, assert_calm, sent
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.hostility"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


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
    "fid as text": '{"reason": "x", "edits": [{"op": "delete", "fid": "1", "version": 1}]}',
    "fid true": '{"reason": "x", "edits": [{"op": "delete", "fid": true, "version": 1}]}',
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


@pytest.mark.parametrize("fid", [*NUMBERS, *INJECTIONS, *WRONG_FIDS])
def test_a_feature_id_in_the_json_api_is_a_number_or_there_is_no_such_feature(writable, editor, fid):
    for method, tail, body in (
        ("GET", "/history", None),
        ("GET", "/related", None),
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
