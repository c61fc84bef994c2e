"""Nothing sent to the data manager's doors makes the platform fail, or say what it should not: threats.md T0, P-19."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.models import Delivery, DeliveryFinding, DeliveryPart, Layer
from process.models import Upload
from tests import people
from tests.hostility import CALM, STRINGS, assert_calm, sent
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.hostility"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

HUGE = "9" * 30
EDGE = [HUGE, "9223372036854775807", "9223372036854775808", "2147483648", "-9223372036854775809", "-1", "0"]
EDGE += ["1" + "0" * 400]

# Every parameter of the doors of deliveries and of what belongs to them; {} is where the string goes.
PARAMETERS = [
    "/api/deliveries?state={}",
    "/api/deliveries?offset={}",
    "/api/deliveries?no_such={}",
    "/api/deliveries/{}",
    *(f"/api/deliveries/NUMBER/findings?{name}={{}}" for name in ("code", "level", "part", "after", "limit")),
    "/api/deliveries/{}/findings",
    "/api/deliveries/{}/findings.gpkg",
    "/api/deliveries/{}/verdict.pdf",
    "/api/deliveries/{}/package.zip",
    "/api/deliveries/NUMBER/parts/{}/diff?op=insert",
    *(f"/api/deliveries/NUMBER/parts/1/diff?op=insert&{name}={{}}" for name in ("after", "limit")),
    "/api/deliveries/NUMBER/parts/1/diff?op={}",
    "/api/delivery-profiles/{}",
    "/api/uploads/{}",
    "/api/pulls/{}",
    "/api/pulls/{}/run",
    "/api/exports/{}",
    "/api/exports/{}/file",
    "/api/code-lists/{}/2023",
    "/api/code-lists/landuse-sd/{}",
    "/api/code-lists/landuse-sd/2023/mapping/{}/2017",
    "/api/rasters/{}",
    "/api/rasters/target/value?x={}&y=1",
    "/api/rasters/target/window?bbox={}",
    "/api/rasters/target/profile?line={}",
    *(f"/api/quality?{name}={{}}" for name in ("department", "layer", "code", "aside", "offset")),
    "/api/layers/{}/quality",
    "/api/layers/target/quality?offset={}",
    "/api/layers/{}/about",
    "/api/layers/target/revisions?before={}",
    "/api/shelf?offset={}",
    "/api/people/{}",
]

WRITES = [
    ("POST", "/api/uploads", {"name": "a.gpkg", "size": 5, "sha256": "0" * 64}),
    ("POST", "/api/deliveries", {"name": "a", "department": "data", "uploads": ["x"], "profile": "yearly"}),
    (
        "POST",
        "/api/deliveries",
        {"name": "a", "department": "data", "uploads": ["x"], "document": {"version": 1}},
    ),
    (
        "POST",
        "/api/deliveries/NUMBER/answers",
        {"encoding": "gbk", "accept": ["x"], "valid_from": "2026-01-01"},
    ),
    ("POST", "/api/deliveries/99999/accept", {"reason": "x"}),
    ("POST", "/api/deliveries/99999/refuse", {"reason": "x"}),
    ("PUT", "/api/delivery-profiles/yearly", {"document": {"version": 1}}),
    ("POST", "/api/layers/target/exports", {"format": "csv", "crs": "EPSG:4547", "area": {"division": "x"}}),
    ("POST", "/api/layers/target/exports", {"format": "csv", "area": {"type": "Polygon", "coordinates": []}}),
    (
        "POST",
        "/api/code-lists/hostile/2026",
        {"title_zh": "题", "valid_from": "2026-01-01", "values": [{"code": "1", "title_zh": "一"}]},
    ),
    ("POST", "/api/code-lists/hostile/2026", {"title_zh": "题", "csv": "code,title_zh\n1,x"}),
    ("PUT", "/api/code-lists/hostile/2026", {"title_zh": "题", "csv": "code,title_zh\n1,x"}),
    (
        "POST",
        "/api/pulls",
        {
            "name": "p",
            "kind": "http",
            "address": "http://x/",
            "department": "data",
            "document": {"version": 1},
        },
    ),
    (
        "PUT",
        "/api/pulls/NUMBER",
        {"name": "p", "kind": "folder", "address": "x", "department": "data", "document": {"version": 1}},
    ),
    ("POST", "/api/quality/99999/set-aside", {"reason": "x"}),
    (
        "PUT",
        "/api/layers/target/metadata",
        {"document": {"abstract_zh": "x"}, "seen": "2026-01-01T00:00:00Z"},
    ),
    ("POST", "/api/layers/target/metadata/approve", {"number": 99}),
]
# Values put in the place of every value, as JSON text.
VALUES = [
    "null",
    "[]",
    "{}",
    "true",
    "-1",
    HUGE,
    "9" * 5_000,
    "1e400",
    "NaN",
    "1.5",
    '"\\u0000"',
    '"\\ud800"',
]
VALUES += ['"../../etc/passwd"', '"' + "x" * 5_000 + '"', '"1; DROP TABLE layers_layer"', '[{"a": [1e400]}]']
VALUES += ['["\\u0000"]', '["\\ud800"]', '{"\\ud800": 1}', '{"a": "\\u0000"}', "[" * 900 + "]" * 900]
WHOLE = ["", "[]", "null", "1", "{", '{"a": 1}', "[" * 100_000 + "]" * 100_000, b"\xff\xfe{", b"\x00"]


@pytest.fixture(scope="module")
def keeper(writable):
    """One who keeps the whole map, with a delivery of their own."""
    keeper = people.person("keeper", people.offices()["data"], is_superuser=True, clearance="sensitive")
    Delivery.objects.filter(sent_by=keeper.principal.name).delete()
    return keeper


@pytest.fixture(scope="module")
def delivery(keeper):
    made = Delivery.objects.create(
        name="a",
        department=people.offices()["data"],
        document={},
        state="checked",
        sent_by=keeper.principal.name,
    )
    part = DeliveryPart.objects.create(delivery=made, order=1, kind="layer", source="a", layer_name="target")
    DeliveryFinding.objects.create(
        delivery=made, part=part, code="x", level="warn", message="m", message_zh="甲"
    )
    return made


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_string_in_any_parameter_makes_the_platform_fail(keeper, delivery, path):
    for text in [*STRINGS, *EDGE]:
        assert_calm(keeper.get(path.replace("NUMBER", str(delivery.pk)).replace("{}", sent(text))))


@pytest.mark.parametrize(("method", "path", "good"), WRITES)
def test_no_value_in_any_body_makes_the_platform_fail(keeper, delivery, method, path, good):
    path = path.replace("NUMBER", str(delivery.pk))
    bodies = list(WHOLE)
    for name in [*good, "no_such_field"]:
        rest = {key: value for key, value in good.items() if key != name}
        begun = json.dumps(rest)[:-1] + (", " if rest else "")
        bodies += [f'{begun}"{name}": {value}}}' for value in VALUES]
    for body in bodies:
        answer = keeper.ask(method, path, body)
        assert_calm(answer)
    assert Layer.objects.filter(name="target", revision=1).exists()


@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "multipart/form-data", "", "\x00", "a" * 500]
)
def test_another_media_type_is_refused_calmly(keeper, delivery, media):
    for method, path, _ in WRITES:
        address = path.replace("NUMBER", str(delivery.pk))
        answer = keeper.client.generic(method, address, b"<a/>", content_type=media)
        assert_calm(answer)
        assert answer.status_code >= 400


@pytest.mark.parametrize(
    "body",
    [b"", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"\xd0\xcf\x11\xe0" * 200, b"\0" * 5_000, b"[" * 9_999],
)
@pytest.mark.parametrize("query", ["", "?dry_run=maybe", "?accept=%00", "?accept=" + "x," * 3_000])
def test_a_roster_that_is_no_workbook_is_refused(keeper, body, query):
    answer = keeper.client.generic(
        "POST", f"/api/people{query}", body, content_type="application/octet-stream"
    )
    assert_calm(answer)
    assert answer.status_code in {400, 413, 422}


@pytest.mark.parametrize("offset", [*EDGE, "", "NaN", "１", "1.0", "\x00", "+1", " 0"])
def test_a_piece_at_a_hostile_offset_is_refused(keeper, offset):
    digest = hashlib.sha256(b"hello").hexdigest()
    begun = keeper.ask("POST", "/api/uploads", json.dumps({"name": "a", "size": 5, "sha256": digest}))
    token = json.loads(body_of(begun))["token"]
    answer = keeper.client.generic(
        "PATCH",
        f"/api/uploads/{token}",
        b"hell" + b"o" * 20,
        content_type="application/offset+octet-stream",
        HTTP_UPLOAD_OFFSET=offset,
    )
    assert_calm(answer)
    assert answer.status_code in {400, 409, 422}
    assert Upload.objects.get(token=token).received == 0


@pytest.mark.parametrize(
    "name", ["../../../etc/x.gpkg", "/etc/passwd", "C:\\x", "a\\..\\b", "\u202ea", "con", "."]
)
def test_an_uploads_name_is_never_a_path(keeper, name):
    digest = hashlib.sha256(b"").hexdigest()
    answer = keeper.ask("POST", "/api/uploads", json.dumps({"name": name, "size": 0, "sha256": digest}))
    assert_calm(answer)
    assert answer.status_code == 201
    token = json.loads(body_of(answer))["token"]
    assert token.isalnum()
    assert_calm(keeper.ask("DELETE", f"/api/uploads/{token}"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PART_FIELDS = ("source", "kind", "layer", "key", "fields", "checks", "joins", "mode", "required")


@given(st.dictionaries(st.sampled_from(PART_FIELDS), JSON, max_size=4), JSON)
@settings(max_examples=60, **CALM)
def test_any_json_as_a_profile(keeper, odd, answers):
    part = {"source": "a", "kind": "layer", "layer": "new_one", "title_zh": "新", "theme": "base", **odd}
    document = {"version": 1, "title_zh": "题", "department": "data", "parts": [part], "answers": answers}
    answer = keeper.ask("PUT", "/api/delivery-profiles/any", json.dumps({"document": document}))
    assert_calm(answer)
