"""What kind of request an address is: config.kinds."""

import pytest

from config.kinds import BODIES, HEAVY, kind_of
from layers.limits import LIMITS_MS

ITEMS = "/ogc/collections/parcel/items"
LIGHT = [
    ("/", "", "web"),
    ("/healthz", "", "web"),
    ("/tiles/parcel/CityGrid/0/0/0.mvt", "v=1", "tile"),
    ("/ogc/collections/parcel/tiles/CityGrid/0/0/0", "", "tile"),
    ("/ogc/collections/parcel/tiles", "", "web"),
    ("/api/identify", "x=1&y=1", "identify"),
    (ITEMS, "", "web"),
    (ITEMS, "limit=1000&bbox=1,2,3,4&crs=EPSG:4547&f=json", "web"),
    (ITEMS, "limit=x", "web"),
    (f"{ITEMS}/17", "", "web"),
    ("/catalogue/parcel/", "", "web"),
]
LARGE = [
    (ITEMS, "limit=1001"),
    (ITEMS, "limit=99999999999999999999"),
    (ITEMS, "filter=a%3D1"),
    (ITEMS, "sortby=-a"),
    (ITEMS, "amount=4"),
    (ITEMS, "as-of=rev:1"),
    ("/ogc/collections/parcel/changes", "since=0"),
    ("/catalogue/parcel/download.gpkg", ""),
    ("/api/exports/7/file", ""),
    ("/api/rasters/ground/window", "bbox=1,2,3,4"),
    ("/api/deliveries/1/package.zip", ""),
    ("/api/deliveries/1/parts/2/diff", ""),
    ("/api/changesets/1/diff", "limit=500"),
    ("/api/changesets/1/conflicts", ""),
    (ITEMS, "changeset=1"),
    (ITEMS, "properties=a&sortby=a"),
]


@pytest.mark.parametrize(("path", "query", "limit"), LIGHT)
def test_light_requests_take_no_place(path, query, limit):
    kind = kind_of("GET", path, query)
    assert (kind.limit, kind.pool) == (limit, None)


@pytest.mark.parametrize(("path", "query"), LARGE)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_large_answers_take_a_place_and_have_a_minute(method, path, query):
    kind = kind_of(method, path, query)
    assert (kind.limit, kind.pool) == ("stream", HEAVY)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "X"])
def test_what_may_have_a_body_takes_a_place(method):
    for path, query in [(ITEMS, "limit=1"), ("/api/login", ""), ("/tiles/parcel/CityGrid/0/0/0.mvt", "")]:
        kind = kind_of(method, path, query)
        assert (kind.limit, kind.pool) == ("write", BODIES)


def test_every_kind_has_a_limit():
    told = {
        kind_of(method, path, query).limit
        for method in ("GET", "POST")
        for path, query, *_ in [*LIGHT, *LARGE]
    }
    assert told <= LIMITS_MS.keys()
