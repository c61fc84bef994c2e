"""The JSON API that the map page reads: the city, the layers, what is here."""

import json
from urllib.parse import quote

import pyproj
import pytest
import shapely
from django.test import Client

from layers.models import Layer
from layers.styles.reading import read_style
from layers.styles.showing import drawn_style
from spatial.validity import Family
from tests import layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, square
from tests.people import Caller

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 5_000, NORTH + 5_000)


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def parcels(public):
    facts = {"name": {"alias_zh": "名称", "alias_en": "Name"}, "amount": {"unit": "m"}}
    style = {"categories": {"field": "secret_remark", "values": {"SECRET-1": {"fill": "#ff0000"}}}}
    told = {
        "title": "地块",
        "title_en": "Parcels",
        "label_field": "secret_remark",
        "fields": facts,
        "style": style,
    }
    return layermaking.make_layer("parcels", layermaking.ground("parcels"), public=True, **told)


@pytest.fixture(scope="module")
def posts(public):
    """Points: one upon parcel 2, one forty metres beside it, one far away."""
    x, y = WEST + 123.4567 + 600, NORTH + 600
    rows = [
        {"code": f"post {number}", "geometry": shapely.Point(*place)}
        for number, place in enumerate([(x + 50, y + 50), (x + 140, y + 50), (EAST, NORTH)], 1)
    ]
    return layermaking.make_layer("posts", rows, public=True)


def layer_of(document, name="parcels"):
    return next(one for one in document["layers"] if one["name"] == name)


def test_the_city_with_its_systems_and_grid(public):
    document = public.json("/api/map")
    codes = {one["code"]: one for one in document["crs"]}
    assert set(codes) == {"EPSG:4326", "EPSG:3857", "EPSG:4490", "EPSG:4547"}
    for one in codes.values():
        assert pyproj.CRS.from_proj4(one["proj4"]).is_projected == ("merc" in one["proj4"])
        assert one["extent"][0] < one["extent"][2] and one["extent"][1] < one["extent"][3]
    assert document["grid"] == {
        "identifier": "CityGrid",
        "crs": "EPSG:4547",
        "origin": [400_000.0, 2_640_000.0],
        "size": 293_601.28,
        "levels": 14,
        "tile_px": 512,
    }
    x0, y0, x1, y1 = document["view"]["extent"]
    assert x0 < WEST < x1 and y0 < NORTH < y1
    assert document["demo"] is False


def test_a_layer_with_all_that_a_map_needs(parcels, public):
    one = layer_of(public.json("/api/layers"))
    assert (one["title_zh"], one["title_en"], one["geometry"], one["secrecy"]) == (
        "地块",
        "Parcels",
        "polygon",
        "public",
    )
    assert (one["actions"], one["revision"], one["count"]) == (["query", "view"], 1, 6)
    assert one["extent"] == pytest.approx([WEST + 423.4567, NORTH + 300, EAST + 2023.4567, NORTH + 1900])
    assert one["fields"][0] == {
        "name": "name",
        "alias_zh": "名称",
        "alias_en": "Name",
        "type": "text",
        "unit": "",
    }
    assert [field["name"] for field in one["fields"]] == [
        "name",
        "secret_remark",
        "amount",
        "ratio",
        "day",
        "seen",
        "open",
    ]
    assert [field["type"] for field in one["fields"]] == [
        "text",
        "text",
        "integer",
        "real",
        "date",
        "datetime",
        "boolean",
    ]
    assert one["label_field"] == "secret_remark"
    assert one["tiles"] == "/tiles/parcels/CityGrid/{z}/{x}/{y}.mvt?v=1"
    assert one["theme"]["code"] == "base" and one["department"]["code"] == "data"
    assert set(one["first_level"]) == {"CityGrid", "WebMercatorQuad", "CGCS2000Quad"}


def test_what_is_hidden_is_not_in_the_list(parcels, public):
    parcels.grants.all().delete()
    grant(parcels, "department:water", "view,query", fields=["name"], area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    one = layer_of(caller.json("/api/layers"))
    assert [field["name"] for field in one["fields"]] == ["name"]
    assert (one["count"], one["extent"], one["label_field"]) == (None, None, None)
    # A style that speaks of a hidden field would tell its values.
    assert one["style"] == drawn_style(read_style({}, Family.POLYGON)).model_dump(mode="json")
    assert public.json("/api/layers") == {"layers": []}


def test_the_list_is_sent_again_only_when_something_changed(parcels, public):
    first = public.get("/api/layers")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"] and "Cookie" in first.headers["Vary"]
    assert public.get("/api/layers", if_none_match=tag).status_code == 304
    Layer.objects.filter(pk=parcels.pk).update(title_en="Lots")
    again = public.get("/api/layers", if_none_match=tag)
    assert (again.status_code, layer_of(json.loads(again.content))["title_en"]) == (200, "Lots")
    key = people.program(people.offices()["water"])
    grant(parcels, "department:water", "download")
    assert key.get("/api/layers", if_none_match=again.headers["ETag"]).status_code == 200


def place(x, y, crs="EPSG:4547", **more):
    tail = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/api/identify?x={x}&y={y}&crs={quote(crs)}{tail}"


def hits(caller, path):
    return [(hit["layer"], hit["fid"], hit["distance"]) for hit in caller.json(path)["hits"]]


def test_what_is_here_points_before_polygons_nearest_first(parcels, posts, public):
    x, y = WEST + 123.4567 + 650, NORTH + 650
    assert hits(public, place(x, y)) == [("posts", 1, 0.0), ("parcels", 2, 0.0)]
    assert hits(public, place(x, y, tolerance=100)) == [
        ("posts", 1, 0.0),
        ("posts", 2, 90.0),
        ("parcels", 2, 0.0),
    ]
    assert hits(public, place(x, y, tolerance=89.999)) == [("posts", 1, 0.0), ("parcels", 2, 0.0)]
    assert hits(public, place(x, y, layers="parcels")) == [("parcels", 2, 0.0)]
    assert hits(public, place(x + 60_000, y)) == []


@pytest.mark.parametrize("srid", [4326, 4490, 3857, 4547])
def test_the_place_and_the_answer_are_x_before_y_in_the_system_named(parcels, public, srid):
    move = pyproj.Transformer.from_crs(4547, srid, always_xy=True)
    x, y = move.transform(WEST + 123.4567 + 650, NORTH + 650)
    (hit,) = public.json(place(f"{x:.9f}", f"{y:.9f}", f"EPSG:{srid}", layers="parcels"))["hits"]
    truth = shapely.transform(square(WEST + 723.4567, NORTH + 600), move.transform, interleaved=False)
    found = shapely.from_geojson(json.dumps(hit["geometry"]))
    assert shapely.hausdorff_distance(found, truth) < (1e-7 if srid in {4326, 4490} else 0.001)
    assert hit["properties"]["name"] == "CANARY-parcels-west-2"
    assert hit["version"] == 1


def test_identify_keeps_to_the_area_and_the_fields(parcels, posts, public):
    parcels.grants.all().delete()
    grant(parcels, "department:water", "view,query", fields=["name"], area=area(*WEST_BOX))
    caller = people.program(people.offices()["water"])
    east = place(EAST + 123.4567 + 1250, NORTH + 1250, tolerance=500, layers="parcels")
    assert hits(caller, east) == []
    (hit,) = caller.json(place(WEST + 773.4567, NORTH + 650, layers="parcels"))["hits"]
    assert hit["properties"] == {"name": "CANARY-parcels-west-2"}
    assert hits(public, place(WEST + 773.4567, NORTH + 650)) == [("posts", 1, 0.0)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("x=1", 400),
        ("x=1&y=2&tolerance=-1", 400),
        ("x=1&y=2&tolerance=1001", 400),
        ("x=1&y=2&crs=EPSG:2383", 400),
        ("x=1&y=2&layers=never_made", 404),
        ("x=1&y=2&layers=parcels,never_made", 404),
        ("x=1&y=2&unknown=1", 400),
    ],
)
def test_identify_refuses_what_it_does_not_know(parcels, public, query, status):
    assert public.get(f"/api/identify?{query}").status_code == status


def test_the_documentation_loads_nothing_from_outside(public):
    answer = public.get("/api/docs")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "http://" not in page and "https://" not in page


def test_a_pages_unsafe_request_needs_its_token_and_a_keys_does_not(parcels, public):
    offices = people.offices()
    grant(parcels, "department:water", "view,query,edit")
    strict = {"client": Client(enforce_csrf_checks=True)}
    person = Caller("page", user=people.person("mei", offices["water"]).user, **strict)
    body = json.dumps({"reason": "survey", "edits": [{"op": "delete", "fid": 6, "version": 1}]})
    refused = person.ask("POST", "/api/layers/parcels/changes", body)
    assert (refused.status_code, json.loads(refused.content)["code"]) == (403, "csrf")
    token = person.json("/api/session")["csrf_token"]
    assert person.ask("POST", "/api/layers/parcels/changes", body, x_csrftoken=token).status_code == 200
    key = people.program(offices["water"])
    key.client = Client(enforce_csrf_checks=True)
    body = body.replace('"fid": 6', '"fid": 5')
    assert key.ask("POST", "/api/layers/parcels/changes", body).status_code == 200
