"""What every answer carries outward, and what other sites and hosts can make of it: X-03, X-08, X-10, P-21."""

import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from tests import doors, matrix
from tests.conftest import ROOT
from tests.matrix import LAYER_DOORS, OTHER_DOORS

pytest_plugins = ["tests.layermaking", "tests.matrix"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

UNSAFE = sorted(route for route in doors.routes() if route.split()[0] in {"POST", "PUT", "PATCH", "DELETE"})


def every_get():
    for route, door in LAYER_DOORS.items():
        if route.startswith("GET"):
            yield from (path.format(name="own_ground") for path in door.paths)
    for route, paths in OTHER_DOORS.items():
        if route.startswith("GET"):
            yield from (path.format(job=1) for path in paths)


@pytest.mark.parametrize("route", UNSAFE)
@pytest.mark.parametrize("token", ["", "x" * 32])
def test_nothing_is_changed_without_the_pages_token(callers, route, token):
    """A session's cookie alone, as a browser sends it from whatever page."""
    method, _, pattern = route.partition(" ")
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = callers["admin"].client.cookies
    path = "/" + re.sub(r"<[^>]+>|\{[^}]+\}", "1", pattern)
    sent = {"HTTP_X_CSRFTOKEN": token} if token else {}
    answer = client.generic(method, path, "{}", content_type="application/json", **sent)
    assert answer.status_code == 403, (route, answer.content[:200])
    assert answer.json()["code"] == "csrf"


def test_every_answer_carries_the_headers_and_none_is_kept_by_others(world, callers):
    for asking in ("public", "dept_a", "editor"):
        for path in every_get():
            answer = matrix.ask(callers[asking], matrix.Door("", ()), path)
            told = answer.headers
            assert "default-src 'none'" in told["Content-Security-Policy"], path
            assert told["X-Content-Type-Options"] == "nosniff", path
            assert told["X-Frame-Options"] == "DENY", path
            assert told["Referrer-Policy"] == "same-origin", path
            kept = told.get("Cache-Control", "")
            named = re.search(r"CANARY-|SECRET-|TITLE-(?!open)", doors.readable(answer)) is not None
            assert "public" not in kept, path
            assert not named or "private" in kept or "no-store" in kept, (path, kept)


@pytest.mark.parametrize("tail", ["?x.png", "/x.png", ";.css", "%3f.js", "/../x.css", "?callback=f&f=json"])
def test_a_disguised_address_is_no_other_address(world, callers, tail):
    """What one caller was shown is not to be had by another under a name that a cache would keep."""
    for begin in ("/ogc/collections/own_ground/items", "/tiles/own_ground/CityGrid/0/0/0.mvt"):
        first = callers["dept_a"].get(begin + tail)
        for asking in ("public", "dept_b"):
            matrix.assert_silent(callers[asking].get(begin + tail), asking)
        assert "public" not in first.headers.get("Cache-Control", "")


def test_addresses_are_those_of_the_setting_whoever_asks_as_whom(world, callers, settings):
    settings.ONEMAP_PUBLIC_URL = "https://map.example.gov.cn"
    spoofed = {"x_forwarded_host": "evil.example", "x_forwarded_proto": "http", "x_forwarded_port": "81"}
    for path in ("/ogc/", "/ogc/collections", "/ogc/api", "/ogc/collections/open_ground/items?limit=1"):
        text = doors.readable(callers["public"].get(path, **spoofed, forwarded="host=evil.example"))
        assert "https://map.example.gov.cn/ogc" in text
        assert not re.search(r"evil\.example|://(?:localhost|testserver|127)", text), path


def test_the_deployment_check_is_clean(tmp_path):
    env = {**os.environ, "ONEMAP_PUBLIC_URL": "https://map.example.gov.cn", "ONEMAP_DEBUG": ""}
    env["ONEMAP_SECRET_KEY"] = "".join(map(chr, range(48, 123)))
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:]


@pytest.mark.parametrize(
    "path", ["/.git/config", "/static/", "/media/", "/manage.py", "/var/secrets.json", "/__debug__/"]
)
def test_nothing_of_the_inside_is_served(path):
    assert Client().get(path).status_code == 404
