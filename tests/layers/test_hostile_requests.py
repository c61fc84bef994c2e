"""Nothing that is sent makes the platform fail, or say what it should not: threats.md V3, P-05, P-06, P-10."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.models import Layer
from tests.hostility import CALM, INJECTIONS, ITEMS, NUMBERS, STRINGS, WRONG_FIDS, assert_calm, sent
from tests.people import body_of

pytest_plugins = ["tests.layermaking", "tests.hostility"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

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


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_string_in_any_parameter_makes_the_platform_fail(writable, public, path):
    for text in STRINGS:
        assert_calm(public.get(path.replace("{}", sent(text))))
    assert Layer.objects.filter(name="target", revision=1).exists()


@pytest.mark.parametrize("text", [*NUMBERS, *INJECTIONS, *WRONG_FIDS])
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
