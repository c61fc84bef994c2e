"""OGC API Features: coordinates and boxes in every system, in the axis order of each."""

import json
from urllib.parse import quote

import pytest
import shapely

from tests.people import body_of
from tests.surveying import COUNT, CRS84, EPSG, ITEMS, SYSTEMS, assert_refused, fids, in_system

pytest_plugins = ["tests.layermaking", "tests.surveying"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


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
    assert_refused(public, f"{ITEMS}?bbox=113,22,114,23&{name}={quote(value)}", 400)
