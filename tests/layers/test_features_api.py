"""OGC API Features: the formats, the methods, and what the documents say."""

import json
from datetime import UTC, datetime

import pytest
import shapely
from django.db import connection
from django.test import Client

from layers.actions import FeatureEdit
from layers.models import Layer
from tests.people import body_of
from tests.surveying import CRS84, EPSG, ITEMS, SYSTEMS, assert_refused, edited, in_system

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


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
    assert_refused(public, f"{ITEMS}?f={value}", 400, "bad-format")


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


# What may be asked besides reading: part 4, tests/layers/ogc/test_transactions.py
ANSWERED = {ITEMS: {"POST", "OPTIONS"}, f"{ITEMS}/5": {"PUT", "PATCH", "DELETE", "OPTIONS"}}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(survey, public, method):
    paths = ("/ogc/", "/ogc/collections/survey", ITEMS, f"{ITEMS}/5")
    for path in (one for one in paths if method not in ANSWERED.get(one, ())):
        answer = public.ask(method, path)
        assert answer.status_code == 405
        assert {"GET", "HEAD"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["code"] == "method-not-allowed"
    assert Layer.objects.get(name="survey").revision == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_who_only_reads_writes_nothing(survey, public, method):
    address = ITEMS if method == "POST" else f"{ITEMS}/5"
    answer = public.ask(method, f"{address}?changeset=1")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "not-granted")
    assert Layer.objects.get(name="survey").revision == 1


@pytest.mark.parametrize(
    "path", ["/ogc/collections/survey", "/ogc/", "/catalogue/", "/tiles/survey/CityGrid/8/3/3.mvt"]
)
def test_what_only_reads_asks_no_program_for_a_token(survey, path):
    answer = Client(enforce_csrf_checks=True).post(path)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (405, "method-not-allowed")


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
    seen, waiting = set(), ["/ogc/"]
    while waiting:
        path = waiting.pop()
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
            waiting += [
                link["href"].removeprefix("http://testserver") for link in listed if not link.get("templated")
            ]
    assert len(seen) > 12


def test_the_api_definition_lists_the_collections_paths(survey, public):
    document = public.json("/ogc/api")
    assert document["openapi"].startswith("3.0")
    assert "/collections/survey/items" in document["paths"]
    names = {one.get("name") for one in document["paths"]["/collections/survey/items"]["get"]["parameters"]}
    assert {"name", "amount"} <= names
