"""What is settled of a request before any view: threats.md P-04, P-19."""

import gzip
import json

import pytest
from django.db import connection

from tests.people import Caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "x", "zstd"])
def test_a_compressed_body_is_415_at_every_door(encoding):
    bomb = gzip.compress(b" " * 1_000_000)
    for method, path in (
        ("POST", "/api/login"),
        ("POST", "/nothing"),
        ("PATCH", "/api/uploads/x"),
        ("GET", "/ogc/"),
    ):
        answer = Caller("public").ask(method, path, bomb, content_encoding=encoding)
        assert (answer.status_code, json.loads(answer.content)["code"]) == (415, "encoded-body")


@pytest.mark.parametrize("encoding", ["identity", "", "Identity"])
def test_a_plain_body_passes(encoding):
    assert Caller("public").ask("POST", "/api/login", "{}", content_encoding=encoding).status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "told"),
    [("GET", "/ogc/collections", "5s"), ("GET", "/api/identify?x=1&y=1", "2s"), ("POST", "/api/login", "30s")]
    + [("GET", "/ogc/collections/none/changes", "1min")],
)
def test_each_kind_of_request_has_its_statement_limit(method, path, told):
    connection.close()
    try:
        Caller("public").ask(method, path, '{"username": "a", "password": "b"}' if method == "POST" else None)
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone()[0] == told
    finally:
        connection.close()
