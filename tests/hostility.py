"""Strings and callers that try to break things, and what a calm answer is."""

import json
import re
import xml.etree.ElementTree as ET
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck

from tests import layermaking, people
from tests.layermaking import grant
from tests.people import Caller, body_of

ITEMS = "/ogc/collections/target/items"
TELLTALE = re.compile(r"Traceback|psycopg|SQLSTATE|/usr/|/home/|GDAL_ERROR|relation \"")
REFUSALS = {400, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428}

OGC_REFUSALS = {"text/xml; charset=utf-8", "application/vnd.ogc.se_xml"}

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
# A feature's number is a positive integer, and has one way to be written.
WRONG_FIDS = ["0", "-1", "+1", "01", "001", "1.0", "1e0", "１", "9223372036854775808", "1" + "0" * 19]
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

CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}


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


def _assert_refusal(answer, body, text) -> None:
    """A refusal in the words of whoever was asked, with the request's id in it."""
    media, requested = answer.headers["Content-Type"], answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", requested)
    service = answer.request["PATH_INFO"].startswith("/services/")
    assert media in (OGC_REFUSALS if service else {"application/problem+json"})
    if answer.request["REQUEST_METHOD"] == "HEAD":
        assert body == b""
    elif service:
        assert ET.fromstring(text).tag.endswith("ExceptionReport")
        assert requested in text
    else:
        problem = json.loads(body)
        assert (problem["status"], problem["request_id"]) == (answer.status_code, requested)


def assert_calm(answer) -> None:
    body = body_of(answer)
    text = body.decode("utf-8", "replace")
    assert answer.status_code < 500, text[:300]
    assert TELLTALE.search(text) is None
    if answer.status_code >= 400:
        assert answer.status_code in REFUSALS | {401}
        _assert_refusal(answer, body, text)
    assert "\n" not in "".join(map(str, answer.headers.values()))
