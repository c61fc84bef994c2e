"""OGC API Features: coordinates in every system and axis order, filters, pages that hold still, changes."""

import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pyproj
import pytest
import shapely
from django.db import connection

from layers import queries
from layers.actions import FeatureEdit, edit_features
from layers.models import Change, Layer
from layers.rights import Action, operator_scope
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant, square
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

ITEMS = "/ogc/collections/survey/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
# Of each system: the URI, the code pyproj knows it by, and whether the authority puts north (latitude) first.
SYSTEMS = {
    "crs84": (CRS84, 4326, False),
    "4326": (f"{EPSG}4326", 4326, True),
    "4490": (f"{EPSG}4490", 4490, True),
    "3857": (f"{EPSG}3857", 3857, False),
    "4547": (f"{EPSG}4547", 4547, True),
}
COUNT = 25


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def squares():
    """The squares in the storage CRS, 400 m apart, by fid."""
    return {
        number: square(WEST + 400.1234 * number, NORTH + 0.5678 + 10 * number)
        for number in range(1, COUNT + 1)
    }


@pytest.fixture(scope="module")
def survey(public, squares):
    """25 squares in a row, west to east."""
    rows = [
        {
            "name": "朝阳" if number % 5 == 0 else f"lot {number}",
            "amount": number * 10,
            "ratio": number / 4,
            "day": date(2026, 1, number),
            "seen": datetime(2026, 1, number, 12, tzinfo=UTC),
            "open": number % 2 == 0,
            "limit": f"reserved {number}",
            "items": "a field with an awkward name",
            "values": None,
            "geometry": shape,
        }
        for number, shape in squares.items()
    ]
    return layermaking.make_layer("survey", rows, public=True)


@pytest.fixture(scope="module")
def dated(public):
    """Features with valid time."""
    rows = [{"name": f"p{n}", "geometry": square(WEST + 500 * n, NORTH)} for n in range(1, 4)]
    return layermaking.make_layer("dated", rows, public=True, valid_time=True, valid_from="2020-01-01")


def edited(layer: str, *edits: FeatureEdit) -> int:
    """Write one change; the fid of its first feature."""
    return edit_features(operator_scope(layer, Action.EDIT), edits, author="tests", reason="tests").fids[0]


def in_system(shape, srid: int, north_first: bool):
    """Ground truth: pyproj in the authority's own axis order, nothing of the platform's."""
    move = pyproj.Transformer.from_crs(4547, srid, always_xy=not north_first)

    def moved(xy):
        given = (xy[:, 1], xy[:, 0]) if north_first else (xy[:, 0], xy[:, 1])
        return np.column_stack(move.transform(*given))

    return shapely.transform(shape, moved)


def fids(document) -> list[int]:
    return [feature["id"] for feature in document["features"]]


def refused(caller, path, status, code=None):
    answer = caller.get(path)
    assert answer.status_code == status, (path, body_of(answer)[:300])
    problem = json.loads(body_of(answer))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert code is None or problem["code"] == code
    return problem


# --- coordinate systems


@pytest.mark.parametrize("system", SYSTEMS)
def test_coordinates_are_in_the_order_of_the_system_asked_for(survey, public, squares, system):
    uri, srid, north_first = SYSTEMS[system]
    answer = public.get(f"{ITEMS}?limit=1000&crs={quote(uri)}")
    assert answer.headers["Content-Crs"] == f"<{uri}>"
    tolerance = 1e-7 if srid in {4326, 4490} else 0.001
    for feature in json.loads(body_of(answer))["features"]:
        truth = in_system(squares[feature["id"]], srid, north_first)
        found = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.hausdorff_distance(truth, found) < tolerance


def test_crs84_is_what_is_answered_unless_asked_otherwise(survey, public):
    plain, named = public.get(f"{ITEMS}/7"), public.get(f"{ITEMS}/7?crs={quote(CRS84)}")
    assert plain.headers["Content-Crs"] == named.headers["Content-Crs"] == f"<{CRS84}>"
    lon, lat = json.loads(plain.content)["geometry"]["coordinates"][0][0]
    assert (113 < lon < 115, 22 < lat < 23) == (True, True)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_box_is_read_in_the_order_of_its_system(survey, public, squares, system):
    uri, srid, north_first = SYSTEMS[system]
    # Around squares 8 to 10, in the system's own numbers.
    around = shapely.union_all([squares[number] for number in (8, 9, 10)]).buffer(60).envelope
    bbox = ",".join(f"{value:.9f}" for value in in_system(around, srid, north_first).bounds)
    suffix = "" if system == "crs84" else f"&bbox-crs={quote(uri)}"
    assert fids(public.json(f"{ITEMS}?bbox={bbox}{suffix}")) == [8, 9, 10]
    heights = bbox.split(",")
    with_heights = ",".join([*heights[:2], "0", *heights[2:], "100"])
    assert fids(public.json(f"{ITEMS}?bbox={with_heights}{suffix}")) == [8, 9, 10]


@pytest.mark.parametrize("system", ["4326", "4490", "4547"])
def test_a_box_in_the_wrong_order_finds_nothing_or_is_refused(survey, public, squares, system):
    uri, srid, _ = SYSTEMS[system]
    bbox = ",".join(f"{value:.9f}" for value in in_system(squares[9].buffer(60), srid, False).bounds)
    answer = public.get(f"{ITEMS}?bbox={bbox}&bbox-crs={quote(uri)}")
    assert answer.status_code == 400 or fids(json.loads(body_of(answer))) == []


def test_bbox_crs_and_crs_are_independent(survey, public, squares):
    bbox = ",".join(str(value) for value in in_system(squares[9].buffer(10), 4547, True).bounds)
    document = public.json(f"{ITEMS}?bbox={bbox}&bbox-crs={quote(EPSG + '4547')}&crs={quote(EPSG + '3857')}")
    found = shapely.from_geojson(json.dumps(document["features"][0]["geometry"]))
    assert shapely.hausdorff_distance(found, in_system(squares[9], 3857, False)) < 0.001


def test_a_box_touches_inclusively(survey, public, squares):
    x0, y0, x1, y1 = squares[9].bounds
    beside = [y0, x1, y1, x1 + 1]  # north first; shares the right side of square 9
    path = f"{ITEMS}?bbox-crs=EPSG:4547&bbox="
    assert fids(public.json(path + ",".join(f"{value:.6f}" for value in beside))) == [9]
    beside[1] += 0.001
    assert fids(public.json(path + ",".join(f"{value:.6f}" for value in beside))) == []


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("-180,-90,180,90", COUNT),
        ("170,-90,-170,90", 0),  # over the antimeridian, far from the city
        ("100,0,-170,90", COUNT),  # over the antimeridian, with the city
        ("-10,-10,-5,-5", 0),
        ("113.9,22.5,113.9,22.5", 0),
        ("0,89,1,90", 0),
    ],
)
def test_boxes_far_and_wide(survey, public, bbox, found):
    document = public.json(f"{ITEMS}?bbox={bbox}")
    assert (document["numberMatched"], document["numberReturned"]) == (found, found)


@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "EPSG:2383",
        "EPSG:27700",
        "EPSG:0",
        "4326",
        "EPSG:４３２６",
        "WGS84",
        "+proj=longlat",
        "/etc/passwd",
    ]
    + ["/vsicurl/http://127.0.0.1:9/x", "http://127.0.0.1:9/x", 'GEOGCS["x"]', "EPSG:4326 ", "x" * 5000],
)
def test_an_unknown_system_is_refused(survey, public, name, value):
    refused(public, f"{ITEMS}?bbox=113,22,114,23&{name}={quote(value)}", 400)


# --- filters


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=lot 7", [7]),
        ("name=朝阳", [5, 10, 15, 20, 25]),
        ("name=", []),
        ("name=LOT 7", []),
        ("name=lot%25", []),
        ("amount=70", [7]),
        ("amount=-70", []),
        ("ratio=2.5", [10]),
        ("ratio=25e-1", [10]),
        ("day=2026-01-07", [7]),
        ("seen=2026-01-07T12:00:00Z", [7]),
        ("seen=2026-01-07T20:00:00%2B08:00", [7]),
        ("open=true&name=朝阳", [10, 20]),
        ("open=false&amount=20", []),
        ("items=a field with an awkward name&amount=10", [1]),
    ],
)
def test_features_are_found_by_equal_values(survey, public, query, found):
    document = public.json(f"{ITEMS}?{query.replace(' ', '%20')}")
    assert fids(document) == found
    assert document["numberMatched"] == len(found)


def test_filters_and_boxes_go_together(survey, public, squares):
    bbox = ",".join(str(value) for value in in_system(squares[10].buffer(1000), 4326, False).bounds)
    assert fids(public.json(f"{ITEMS}?bbox={bbox}&name=朝阳")) == [10]


@pytest.mark.parametrize(
    "query",
    ["amount=", "amount=1.5", "amount=ten", "amount=１０", "amount=" + "9" * 19, "amount=1_0", "amount=0x1"]
    + [
        "ratio=nan",
        "ratio=inf",
        "ratio=1e400",
        "ratio=1,5",
        "day=2026-02-30",
        "day=yesterday",
        "day=２０２６-01-07",
    ]
    + ["seen=noon", "seen=2026-01-07T25:00:00Z", "open=TRUE", "open=1", "open=", "name=a%00b"],
)
def test_a_value_of_another_type_is_refused(survey, public, query):
    refused(public, f"{ITEMS}?{query}", 400, "bad-value")


def test_hidden_and_unknown_properties_are_refused_alike(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("partly", layermaking.ground("partly"))
    grant(layer, "department:water", "view,query", fields=["name"])
    caller = people.program(offices["water"])
    answers = []
    for name in ("secret_remark", "never_there__"):
        answer = caller.get(f"/ogc/collections/partly/items?{name}=SECRET-partly-1")
        assert answer.status_code == 400
        answers.append(doors.without_identity(answer, name))
    assert answers[0] == answers[1]
    assert fids(caller.json("/ogc/collections/partly/items?name=CANARY-partly-west-1")) == [1]


def test_a_field_shown_in_one_area_only_answers_no_filter_outside_it(survey, public):
    """Otherwise the number of hits would tell the hidden value."""
    offices = people.offices()
    layer = layermaking.make_layer("oracle", layermaking.ground("oracle"))
    grant(layer, "department:water", "view,query", fields=["name"])
    west = area(WEST - 1000, NORTH - 1000, WEST + 5000, NORTH + 5000)
    grant(layer, "department:water", "view,query", fields=["secret_remark"], area=west)
    caller = people.program(offices["water"])
    for number, found in ((1, [1]), (4, [])):
        document = caller.json(f"/ogc/collections/oracle/items?secret_remark=SECRET-oracle-{number}")
        assert (fids(document), document["numberMatched"]) == (found, len(found))


@pytest.mark.parametrize(
    "query", ["no_such=1", "NAME=x", "f_001=1", "fid=1", "geom=1", "bbox_crs=x", "filter=1"]
)
def test_an_unknown_parameter_is_refused(survey, public, query):
    refused(public, f"{ITEMS}?{query}", 400, "unknown-parameter")


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "amount=10&amount=10", "crs=EPSG:4326&crs=EPSG:4326", "f=json&f=html"]
)
def test_a_repeated_parameter_is_refused(survey, public, query):
    refused(public, f"{ITEMS}?{query}", 400, "repeated-parameter")


# --- limit and pages


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("10", 10), ("10000", COUNT), ("10001", COUNT), ("9" * 19, COUNT)]
)
def test_limit(survey, public, text, count):
    document = public.json(f"{ITEMS}?limit={text}")
    assert (document["numberReturned"], len(document["features"])) == (count, count)
    assert document["numberMatched"] == COUNT
    assert any(link["rel"] == "next" for link in document["links"]) == (count < COUNT)


@pytest.mark.parametrize(
    "text", ["0", "-1", "1e3", "１０", "1.0", "", "ten", "0x10", "1_0", "NaN", " 1", "9" * 20, "1;2"]
)
def test_a_limit_that_is_none_is_refused(survey, public, text):
    refused(public, f"{ITEMS}?limit={quote(text)}", 400, "bad-number")


def test_a_larger_limit_is_cut_at_ten_thousand(survey, public):
    from layers.ogc.features_api.parameters import parse_limit

    assert [parse_limit(text) for text in (None, "9999", "10000", "10001", "999999999")] == [
        100,
        9999,
        10000,
        10000,
        10000,
    ]


def next_of(document) -> str | None:
    found = [link["href"] for link in document["links"] if link["rel"] == "next"]
    return found[0].removeprefix("http://testserver") if found else None


def walk(caller, path: str, between=lambda: None) -> list[dict]:
    features = []
    while path is not None:
        document = caller.json(path)
        features += document["features"]
        path = next_of(document)
        between()
    return features


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=7", range(1, 26)),
        ("limit=25", range(1, 26)),
        ("limit=1&name=朝阳", [5, 10, 15, 20, 25]),
        ("limit=2&open=true", range(2, 26, 2)),
        ("limit=3&bbox=-180,-90,180,90&as-of=rev:1", range(1, 26)),
        ("limit=3&as-of=rev:0", []),
    ],
)
def test_the_pages_together_are_the_whole(survey, public, query, expected):
    assert [feature["id"] for feature in walk(public, f"{ITEMS}?{query}")] == list(expected)


def test_pages_hold_still_while_others_write(survey, public):
    edits = iter(
        [
            FeatureEdit("delete", 24, 1),
            FeatureEdit("update", 20, 1, properties={"amount": -1}),
            FeatureEdit("insert", geometry=square(WEST, NORTH + 9_000), properties={"name": "new"}),
            FeatureEdit("update", 3, 1, geometry=square(WEST, NORTH + 9_000)),
            FeatureEdit("delete", 1, 1),
        ]
    )
    before = public.json(f"{ITEMS}?limit=1000")["features"]
    pages = walk(public, f"{ITEMS}?limit=5", lambda: edited("survey", next(edits)))
    assert pages == before
    after = fids(public.json(f"{ITEMS}?limit=1000"))
    assert after[:-1] == [number for number in range(2, 26) if number != 24]
    assert after[-1] > COUNT


def test_pages_of_a_revision_yet_to_come_hold_still_too(survey, public):
    edits = iter([FeatureEdit("delete", 24, 1), *[FeatureEdit("delete", n, 1) for n in (1, 2, 3, 4, 5, 6)]])
    before = public.json(f"{ITEMS}?limit=1000")["features"]
    assert walk(public, f"{ITEMS}?limit=10&as-of=rev:99", lambda: edited("survey", next(edits))) == before


def token_of(path: str) -> str:
    return parse_qs(urlsplit(path).query)["next"][0]


def test_a_next_belongs_to_one_question_of_one_caller(survey, dated, public):
    offices = people.offices()
    path = next_of(public.json(f"{ITEMS}?limit=2&open=true"))
    token = token_of(path)
    assert fids(public.json(path)) == [6, 8]
    other = people.program(offices["water"])
    wrong = [
        (other, path),
        (public, f"{ITEMS}?limit=2&next={token}"),
        (public, f"{ITEMS}?limit=2&open=false&next={token}"),
        (public, f"{ITEMS}?limit=2&open=true&crs=EPSG:4547&next={token}"),
        (public, f"/ogc/collections/dated/items?limit=2&next={token}"),
        (public, f"/ogc/collections/survey/changes?next={token}"),
    ]
    for caller, asked in wrong:
        refused(caller, asked, 400, "bad-page")


def test_a_next_of_items_does_not_continue_changes(survey, public):
    token = token_of(next_of(public.json(f"{ITEMS}?limit=2")))
    refused(public, f"/ogc/collections/survey/changes?next={token}", 400, "bad-page")


@pytest.mark.parametrize("change", ["cut", "flip", "empty", "letters", "long", "spaces", "surrogate", "null"])
def test_a_next_that_was_tampered_with_is_refused(survey, public, change):
    token = token_of(next_of(public.json(f"{ITEMS}?limit=2")))
    forged = {
        "cut": token[:-1],
        "flip": ("x" if token[0] != "x" else "y") + token[1:],
        "empty": "",
        "letters": "abc:def:ghi",
        "long": token * 200,
        "spaces": f" {token}",
        "surrogate": "%ED%A0%80",
        "null": "%00",
    }[change]
    refused(public, f"{ITEMS}?limit=2&next={forged}", 400, "bad-page")


def test_a_next_dies_with_the_right(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("waning", layermaking.ground("waning"))
    first = grant(layer, "department:water", "view,query")
    caller = people.program(offices["water"])
    path = next_of(caller.json("/ogc/collections/waning/items?limit=2"))
    assert fids(caller.json(path)) == [3, 4]
    first.delete()
    grant(layer, "department:water", "view,query", fields=["name"])
    refused(caller, path, 400, "bad-page")


def test_the_page_may_grow_on_the_way(survey, public):
    path = next_of(public.json(f"{ITEMS}?limit=2")).replace("limit=2", "limit=4")
    assert fids(public.json(path)) == [3, 4, 5, 6]


# --- formats and methods


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "application/geo+json"),
        ("*/*", "application/geo+json"),
        ("application/geo+json", "application/geo+json"),
        ("application/json;q=0.5, text/html;q=0.9", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("image/png, application/*;q=0.1", "application/geo+json"),
        ("text/html;q=0, */*", "application/geo+json"),
        ("text/html; q=abc, application/json", "text/html"),
    ],
)
def test_the_format_is_negotiated(survey, public, accept, media):
    answer = public.get(f"{ITEMS}?limit=2", **({"accept": accept} if accept else {}))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(media)
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "accept", ["image/png", "application/json;q=0", "text/csv, image/*", "text/html;q=0.000"]
)
def test_a_format_that_is_not_offered_is_406(survey, public, accept):
    answer = public.get(ITEMS, accept=accept)
    assert (answer.status_code, json.loads(body_of(answer))["code"]) == (406, "not-acceptable")


@pytest.mark.parametrize("value", ["xml", "", "HTML", "geojson"])
def test_f_names_an_offered_format(survey, public, value):
    refused(public, f"{ITEMS}?f={value}", 400, "bad-format")


@pytest.mark.parametrize(
    "path",
    [
        "/ogc/",
        "/ogc/conformance",
        "/ogc/api",
        "/ogc/collections",
        "/ogc/collections/survey",
        ITEMS,
        f"{ITEMS}/5",
    ]
    + ["/ogc/collections/survey/schema", "/ogc/collections/survey/queryables", f"{ITEMS}?name=none"],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_document_has_a_page_in_both_languages(survey, public, path, language):
    answer = public.get(f"{path}{'&' if '?' in path else '?'}f=html&lang={language}")
    assert answer.status_code == 200
    page = body_of(answer).decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page
    assert ("到正文" in page) == (language == "zh")


def test_a_page_escapes_what_data_say(survey, public):
    edited("survey", FeatureEdit("update", 2, 1, properties={"name": "<script>alert(1)</script>"}))
    for path in (f"{ITEMS}?f=html", f"{ITEMS}/2?f=html"):
        page = body_of(public.get(path)).decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "path", ["/ogc/", "/ogc/collections", ITEMS, f"{ITEMS}/5", "/ogc/collections/survey/changes"]
)
def test_head_is_get_without_a_body(survey, public, path):
    head, get = public.ask("HEAD", path), public.get(path)
    assert (head.status_code, body_of(head)) == (200, b"")
    ignored = {"X-Request-Id", "Content-Length"}
    for name, value in get.headers.items():
        assert name in ignored or head.headers[name] == value


def server_cursors() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '\\_django%'")
        return cursor.fetchone()[0]


def test_an_abandoned_stream_lets_go_of_its_cursor(survey, public):
    answer = public.client.get(f"{ITEMS}?limit=20")
    stream = iter(answer.streaming_content)
    assert next(stream).startswith(b'{"type":"FeatureCollection"')
    assert server_cursors() == 1
    # What the server does when the client has gone, in the wrapper by which the test client keeps the connection.
    answer._iterator.close()
    assert server_cursors() == 0


def test_head_leaves_no_cursor_behind(survey, public):
    assert body_of(public.ask("HEAD", ITEMS)) == b""
    assert server_cursors() == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(survey, public, method):
    for path in ("/ogc/", ITEMS, f"{ITEMS}/5"):
        answer = public.ask(method, path)
        assert answer.status_code == 405
        assert {"GET", "HEAD"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
    assert Layer.objects.get(name="survey").revision == 1


def test_a_feature_has_its_version_as_etag(survey, public):
    answer = public.get(f"{ITEMS}/5")
    assert answer.headers["ETag"] == '"1"'
    edited("survey", FeatureEdit("update", 5, 1, properties={"amount": 5}))
    assert public.get(f"{ITEMS}/5").headers["ETag"] == '"2"'
    assert public.get(f"{ITEMS}/5?as-of=rev:1").headers["ETag"] == '"1"'


def test_names_and_nulls_come_out_as_they_went_in(survey, public):
    feature = public.json(f"{ITEMS}/5")
    assert feature["properties"] == {
        "name": "朝阳",
        "amount": 50,
        "ratio": 1.25,
        "day": "2026-01-05",
        "seen": feature["properties"]["seen"],
        "open": False,
        "limit": "reserved 5",
        "items": "a field with an awkward name",
        "values": None,
    }
    assert datetime.fromisoformat(feature["properties"]["seen"]) == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert (feature["type"], feature["id"], feature["version"]) == ("Feature", 5, 1)


# --- metadata


def test_schema_and_queryables_name_the_fields_with_their_types(survey, public):
    for kind in ("schema", "queryables"):
        answer = public.get(f"/ogc/collections/survey/{kind}")
        assert answer.headers["Content-Type"] == "application/schema+json"
        document = json.loads(answer.content)
        assert document["$id"].endswith(f"/survey/{kind}")
        types = {name: one.get("format", one.get("type")) for name, one in document["properties"].items()}
        assert types == {
            "geometry": "geometry-polygon-any",
            "name": "string",
            "amount": "integer",
            "ratio": "number",
            "day": "date",
            "seen": "date-time",
            "open": "boolean",
            "limit": "string",
            "items": "string",
            "values": "string",
        }


def test_the_collection_tells_its_systems_and_its_extent(survey, public, squares):
    document = public.json("/ogc/collections/survey")
    assert document["crs"][0] == CRS84
    assert set(document["crs"]) == {uri for uri, _, _ in SYSTEMS.values()}
    assert document["storageCrs"] == f"{EPSG}4547"
    truth = in_system(shapely.union_all(list(squares.values())), 4326, False).bounds
    assert document["extent"]["spatial"]["bbox"][0] == pytest.approx(truth, abs=1e-4)


def test_every_link_of_every_document_answers(survey, public):
    seen, todo = set(), ["/ogc/"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = public.get(path)
        assert answer.status_code == 200, path
        if "json" in answer.headers["Content-Type"] and "survey" in path or path.count("/") <= 3:
            if "json" not in answer.headers["Content-Type"]:
                continue
            document = json.loads(body_of(answer))
            listed = [
                *document.get("links", []),
                *(link for one in document.get("collections", []) for link in one["links"]),
            ]
            todo += [
                link["href"].removeprefix("http://testserver") for link in listed if not link.get("templated")
            ]
    assert len(seen) > 12


def test_the_api_definition_lists_the_collections_paths(survey, public):
    document = public.json("/ogc/api")
    assert document["openapi"].startswith("3.0")
    assert "/collections/survey/items" in document["paths"]
    names = {one.get("name") for one in document["paths"]["/collections/survey/items"]["get"]["parameters"]}
    assert {"name", "amount"} <= names


# --- the two times


def test_as_of_a_revision_and_of_a_time(survey, public):
    edited("survey", FeatureEdit("update", 5, 1, properties={"amount": -5}))
    edited("survey", FeatureEdit("delete", 6, 1))
    first = Change.objects.get(layer=survey, revision=1).at
    times = {change.revision: change.at for change in Change.objects.filter(layer=survey)}
    assert first == times[1]
    for revision, amount, count in ((1, 50, 25), (2, -5, 25), (3, -5, 24)):
        moments = (f"rev:{revision}", times[revision].isoformat().replace("+", "%2B"))
        for text in moments:
            document = public.json(f"{ITEMS}?limit=100&as-of={text}")
            found = {feature["id"]: feature["properties"]["amount"] for feature in document["features"]}
            assert (found[5], len(found), document["numberMatched"]) == (amount, count, count)
    earlier = (times[1] - timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert public.json(f"{ITEMS}?as-of={earlier}")["numberMatched"] == 0
    assert public.get(f"{ITEMS}/6").status_code == 404
    assert public.get(f"{ITEMS}/6?as-of=rev:2").status_code == 200


def test_valid_time_alone_and_with_record_time(dated, public):
    path = "/ogc/collections/dated/items"
    edited("dated", FeatureEdit("update", 1, 1, properties={"name": "later"}, since=date(2024, 1, 1)))
    edited("dated", FeatureEdit("update", 2, 1, properties={"name": "corrected"}))
    edited("dated", FeatureEdit("delete", 3, 1, since=date(2025, 1, 1)))

    def names(query):
        return [feature["properties"]["name"] for feature in public.json(f"{path}?{query}")["features"]]

    assert names("") == ["later", "corrected"]
    assert names("datetime=2023-12-31") == ["p1", "corrected", "p3"]
    assert names("datetime=2024-01-01") == ["later", "corrected", "p3"]
    assert names("datetime=2025-01-01") == ["later", "corrected"]
    assert names("datetime=2019-12-31") == []
    assert names("datetime=../..") == ["p1", "later", "corrected", "p3"]
    assert names("datetime=2023-01-01/2024-06-01") == ["p1", "later", "corrected", "p3"]
    assert names("datetime=2024-06-01&as-of=rev:1") == ["p1", "p2", "p3"]
    assert names("datetime=2024-06-01&as-of=rev:2") == ["later", "p2", "p3"]
    assert names("as-of=rev:3") == ["later", "corrected", "p3"]
    both = walk(public, f"{path}?datetime=../..&limit=1")
    assert [feature["properties"]["name"] for feature in both] == ["p1", "later", "corrected", "p3"]
    assert both[0]["time"] == {"interval": ["2020-01-01", "2024-01-01"]}
    assert both[1]["time"] == {"interval": ["2024-01-01", ".."]}


# --- changes


def changes(caller, layer, query=""):
    return caller.json(f"/ogc/collections/{layer}/changes{query}")


def ops(document) -> dict[int, str]:
    return {one["fid"]: one["op"] for one in document["features"]}


def test_changes_make_a_copy_like_the_layer(survey, public):
    first = changes(public, "survey")
    copy = {one["fid"]: one["feature"] for one in first["features"]}
    assert (first["revision"], set(ops(first).values()), len(copy)) == (1, {"insert"}, COUNT)
    edited("survey", FeatureEdit("update", 5, 1, properties={"amount": -5}), FeatureEdit("delete", 6, 1))
    new = edited("survey", FeatureEdit("insert", geometry=square(WEST, NORTH), properties={"name": "new"}))
    edited("survey", FeatureEdit("update", new, 1, properties={"name": "newer"}), FeatureEdit("delete", 7, 1))
    later = changes(public, "survey", "?since=1")
    assert ops(later) == {5: "update", 6: "delete", 7: "delete", new: "insert"}
    assert later["revision"] == 4
    for one in later["features"]:
        copy.pop(one["fid"], None)
        if one["op"] != "delete":
            copy[one["fid"]] = one["feature"]
    assert sorted(copy.values(), key=lambda one: one["id"]) == public.json(f"{ITEMS}?limit=1000")["features"]
    assert changes(public, "survey", "?since=4")["features"] == []


def test_a_feature_that_came_and_went_is_no_change(survey, public):
    came = edited("survey", FeatureEdit("insert", geometry=square(WEST, NORTH), properties={}))
    edited("survey", FeatureEdit("delete", came, 1))
    assert changes(public, "survey", "?since=1")["features"] == []


def test_changes_come_in_pages_that_hold_still(survey, public):
    found, document = {}, changes(public, "survey", "?limit=10")
    while True:
        found |= ops(document)
        assert document["revision"] == 1
        if document["next"] is None:
            break
        edited(
            "survey", FeatureEdit("update", 20, 1 + len(found) // 10 - 1, properties={"amount": len(found)})
        )
        document = public.json(document["next"].removeprefix("http://testserver"))
    assert found == dict.fromkeys(range(1, 26), "insert")


def test_since_a_revision_yet_to_come_is_nothing(survey, public):
    document = changes(public, "survey", "?since=999999999999")
    assert (document["features"], document["revision"], document["next"]) == ([], 1, None)


@pytest.mark.parametrize(
    "query", ["since=-1", "since=", "since=1.5", "since=１", "since=x", "limit=0", "crs=EPSG:1", "name=x"]
)
def test_changes_of_no_revision_are_refused(survey, public, query):
    refused(public, f"/ogc/collections/survey/changes?{query}", 400)


def test_a_move_out_of_the_callers_area_is_a_delete_and_a_move_in_an_insert(survey, public):
    offices = people.offices()
    layer = layermaking.make_layer("moving", layermaking.ground("moving"))
    west = area(WEST - 1000, NORTH - 1000, WEST + 5000, NORTH + 5000)
    grant(layer, "department:water", "view,query", area=west)
    caller = people.program(offices["water"])
    assert set(ops(changes(caller, "moving"))) == {1, 2, 3}
    far, near = square(WEST + 15_000, NORTH), square(WEST + 50, NORTH + 50)
    edited("moving", FeatureEdit("update", 1, 1, geometry=far))
    edited("moving", FeatureEdit("update", 4, 1, geometry=near))
    edited("moving", FeatureEdit("update", 5, 1, properties={"amount": 5_555}))
    edited("moving", FeatureEdit("delete", 6, 1))
    document = changes(caller, "moving", "?since=1")
    assert ops(document) == {1: "delete", 4: "insert"}
    assert next(one for one in document["features"] if one["fid"] == 1)["feature"] is None
    text = json.dumps(document)
    assert not [mark for mark in doors.place_marks(far.bounds) if mark in text]
    assert "5555" not in text
    # And the past of a feature shows only while it was inside.
    history = caller.json("/api/layers/moving/features/4/history")
    assert [one["version"] for one in history["versions"]] == [2]
    assert [one["version"] for one in caller.json("/api/layers/moving/features/1/history")["versions"]] == [1]


def test_changes_of_a_layer_with_valid_time_carry_its_periods(dated, public):
    edited("dated", FeatureEdit("update", 1, 1, properties={"name": "later"}, since=date(2024, 1, 1)))
    document = changes(public, "dated", "?since=1")
    assert ops(document) == {1: "update"}
    assert [one["time"]["interval"] for one in document["features"][0]["periods"]] == [
        ["2020-01-01", "2024-01-01"],
        ["2024-01-01", ".."],
    ]


def test_the_relation_is_the_same_text_for_any_value(survey, public):
    """Values are bound, never written: the statement of two questions differs in nothing but what is bound."""
    from django.http import QueryDict

    from layers.ogc.features_api.items import page_statement
    from layers.ogc.features_api.parameters import parse_items, single

    scope = operator_scope("survey", Action.QUERY)
    texts = set()
    for value in ("a", "'; DROP TABLE x; --", '"', "%s", "%(as_of)s", "\\", "朝阳", "$1", "{}"):
        query = QueryDict(mutable=True)
        query.update({"name": value, "bbox": "113,22,115,23", "datetime": "2026-01-01"})
        statement = page_statement(scope, parse_items(scope, single(query)))
        texts.add(statement.text.as_string(connection.connection))
        assert value in statement.params.values()
        assert len(queries.rows(statement)) == (5 if value == "朝阳" else 0)
    assert len(texts) == 1
