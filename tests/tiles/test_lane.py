"""A tile is the same whichever way a request takes (config.lane)."""

from tests.tiles.conftest import COLUMN, LEVEL, ROW

APART = {"x-request-id", "date", "set-cookie"}  # an unknown session's cookie is taken back


def told(answer):
    status, headers, body = answer
    return status, {name.lower(): value for name, value in headers.items() if name.lower() not in APART}, body


def open_to_all(answer):
    """The answer to nobody in particular, without the one header that says that every site's pages may read it."""
    status, headers, body = answer
    assert headers.pop("access-control-allow-origin") == "*"
    return status, headers, body


def test_a_tile_is_the_same_with_and_without_a_session(site, squares):
    path = f"/tiles/{squares.name}/CityGrid/{LEVEL}/{COLUMN}/{ROW}.mvt"
    short = told(site.get(path))

    assert short[0] == 200
    assert open_to_all(short) == told(site.get(path, headers={"Cookie": "sessionid=unknown"}))


def test_a_tile_not_modified_is_the_same_with_and_without_a_session(site, squares):
    path = f"/tiles/{squares.name}/CityGrid/{LEVEL}/{COLUMN}/{ROW}.mvt"
    known = {"If-None-Match": site.get(path)[1]["ETag"]}
    short = told(site.get(path, headers=known))

    assert short[0] == 304
    assert open_to_all(short) == told(site.get(path, headers={**known, "Cookie": "sessionid=unknown"}))
