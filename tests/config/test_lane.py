"""The short way of tiles: the same answers as the long way, and nothing but tiles."""

import io

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import lane

TILE = "/tiles/nothing/WebMercatorQuad/14/13380/7124.mvt"


def asked(path=TILE, method="GET", **more):
    """An environment as granian makes it."""
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), **more,
    }  # fmt: skip


def answer(application, environ):
    """Status, headers without the request's id, body without it."""
    told = []
    response = application(environ, lambda status, headers: told.append((status, dict(headers))))
    body = b"".join(response)
    response.close()
    status, headers = told[0]
    number = headers.pop("X-Request-Id")
    return status, headers, body.replace(number.encode(), b"")


@pytest.mark.parametrize(
    "environ",
    [
        asked(method="POST"),
        asked("/"),
        asked("/tiles/a/b/1/2/3/4.mvt"),
        asked("/tiles/a/b/1/2.mvt"),
        asked("/tiles/\u00e9/WebMercatorQuad/1/2/3.mvt"),
        asked(QUERY_STRING="lang=en"),
        asked(HTTP_COOKIE=f"a=1; {settings.SESSION_COOKIE_NAME}=x"),
    ],
)
def test_everything_else_goes_the_long_way(environ):
    assert not lane.fits(environ)


@pytest.mark.parametrize(
    "more", [{}, {"HTTP_COOKIE": "onemap_language=en"}, {"HTTP_AUTHORIZATION": "Bearer x"}]
)
def test_a_tile_without_a_session_goes_the_short_way(more):
    assert lane.fits(asked(**more))


@pytest.mark.parametrize(
    "environ",
    [
        asked(),
        asked(HTTP_HOST="evil.example"),
        asked(HTTP_AUTHORIZATION="Bearer wrong"),
        asked("/tiles/Nothing!/WebMercatorQuad/x/y/z.mvt"),
        asked(QUERY_STRING="v=1&v=2"),
        asked(HTTP_ACCEPT_LANGUAGE="en"),
    ],
)
def test_refusals_are_the_long_ways_own(db, environ):
    long_way = get_wsgi_application()

    short = answer(lane.with_lane(long_way), dict(environ))

    assert short == answer(long_way, dict(environ))
    assert int(short[0][:3]) >= 400
