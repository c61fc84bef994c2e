"""Which other sites' pages may read what: threats.md X-04."""

import pytest
from django.core.handlers.wsgi import WSGIRequest

from config import lane
from tests.config.test_lane import asked
from tests.people import Caller

pytest_plugins = ["tests.layermaking", "tests.hostility"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

LISTED, FOREIGN = "https://plan.example.gov.cn", "https://evil.example"
OPEN = ["/ogc/", "/ogc/collections/target/items", "/tiles/target/CityGrid/0/0/0.mvt", "/ogc/collections/none"]
CLOSED = ["/", "/api/layers", "/api/session", "/catalogue/", "/admin/login/", "/healthz", "/ogcx", "/data/"]


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.ONEMAP_CORS_ORIGINS = [LISTED]


def headers_of(caller, path, **sent):
    answer = caller.get(path, **sent)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", LISTED + ".evil.example", "http://plan.example.gov.cn", ""]
)
def test_anybody_reads_what_the_public_sees_and_nothing_else(target, public, editor, path, origin):
    told = headers_of(public, path, origin=origin)
    assert told["Access-Control-Allow-Origin"] == "*"
    assert "Origin" in told["Vary"]
    assert "Access-Control-Allow-Origin" not in headers_of(editor, path, origin=origin)
    keyed = headers_of(public, path, origin=origin, authorization="Bearer wrong")
    assert "Access-Control-Allow-Origin" not in keyed


@pytest.mark.parametrize("path", OPEN)
def test_a_listed_site_reads_with_a_key(target, public, path):
    told = headers_of(public, path, origin=LISTED, authorization="Bearer wrong")
    assert told["Access-Control-Allow-Origin"] == LISTED
    assert "Origin" in told["Vary"]


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("origin", [FOREIGN, LISTED])
def test_pages_and_the_json_api_are_for_our_own_pages(target, public, path, origin):
    assert "Access-Control-Allow-Origin" not in headers_of(public, path, origin=origin)


@pytest.mark.parametrize("path", [*OPEN, *CLOSED])
def test_before_a_request_only_a_listed_site_is_told_yes(target, public, path):
    for origin in (LISTED, FOREIGN, "null"):
        answer = public.ask("OPTIONS", path, origin=origin, access_control_request_method="GET")
        yes = origin == LISTED and path in OPEN
        assert answer.headers.get("Access-Control-Allow-Origin") == (LISTED if yes else None)
        assert "DELETE" not in answer.headers.get("Access-Control-Allow-Methods", "")


def test_the_short_way_of_tiles_says_the_same(target):
    chain = lane._chain()
    path = "/tiles/target/CityGrid/0/0/0.mvt"
    for sent, told in (({}, "*"), ({"HTTP_ORIGIN": LISTED}, LISTED), ({"HTTP_ORIGIN": FOREIGN}, "*")):
        answer = chain(WSGIRequest(asked(path, **sent)))
        assert answer.headers["Access-Control-Allow-Origin"] == told
        assert "Origin" in answer.headers["Vary"]
    assert Caller("public").get(path).headers["Vary"] == answer.headers["Vary"]
