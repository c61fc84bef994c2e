"""The catalogue for departments, and its downloads."""

import json
import sqlite3

import geopandas as gpd
import pytest
import shapely

from layers.actions import delete_layer
from process.models import AuditRecord
from tests import doors, layermaking, people
from tests.layermaking import NORTH, WEST, area, grant
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 5_000, NORTH + 5_000)


@pytest.fixture(scope="module")
def public(kept):
    people.offices()
    return Caller("public")


@pytest.fixture(scope="module")
def water(public):
    return people.program(people.offices()["water"])


@pytest.fixture(scope="module")
def parcels(water):
    told = {"title": "朝阳地块", "title_en": "Sunny parcels", "abstract_zh": "演示"}
    layer = layermaking.make_layer("parcels", layermaking.ground("parcels"), public=True, **told)
    grant(layer, "department:water", "view,query,download")
    return layer


@pytest.fixture(scope="module")
def wells(water):
    told = {"title": "机井", "title_en": "Wells", "theme": "status", "department": "water"}
    return layermaking.make_layer("wells", layermaking.ground("wells"), public=True, **told)


def page(caller, path):
    answer = caller.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept-Language"} <= set(
        answer.headers["Vary"].replace(",", "").split()
    )
    return answer.content.decode()


@pytest.mark.parametrize("path", ["/catalogue/", "/ogc/?f=html"])
def test_a_page_names_its_icon(public, path):
    """A browser asks for /favicon.ico where a page names none, and gets 404."""
    assert '<link rel="icon" href="/static/client/icon.svg"' in public.get(path).content.decode()


def test_the_catalogue_lists_what_the_reader_may_see(parcels, wells, public):
    text = page(public, "/catalogue/")
    assert "朝阳地块" in text and "机井" in text and "6 个要素" in text
    delete_layer(wells, by="tests")
    assert "机井" not in page(public, "/catalogue/")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("朝阳", {"parcels"}),
        ("SUNNY", {"parcels"}),
        ("well", {"wells"}),
        ("ells", {"wells"}),
        ("部门 water", {"wells"}),
        ("no such thing", set()),
        ("", {"parcels", "wells"}),
        ("  朝阳  ", {"parcels"}),
        ("%", set()),
        ("_", set()),
        (".*", set()),
    ],
)
def test_search_is_by_plain_words(parcels, wells, public, words, found):
    text = page(public, f"/catalogue/?q={words.replace('%', '%25')}")
    assert {name for name in ("parcels", "wells") if f"/catalogue/{name}/" in text} == found
    assert ("没有找到" in text) == (not found)


def test_what_was_searched_is_escaped(public):
    assert "<b>x" not in page(public, "/catalogue/?q=<b>x</b>")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_layers_page_tells_fields_addresses_and_downloads(parcels, public, water, language):
    text = page(water, f"/catalogue/parcels/?lang={language}")
    assert ("Sunny parcels" if language == "en" else "朝阳地块") in text
    for name in ("name", "secret_remark", "amount", "day"):
        assert f"<code>{name}</code>" in text
    assert "http://testserver/ogc/collections/parcels/items" in text
    assert 'href="download.geojson"' in text and 'href="download.gpkg"' in text
    assert "download.gpkg" not in page(public, f"/catalogue/parcels/?lang={language}")


def test_an_area_limited_reader_learns_neither_count_nor_extent_nor_lineage(parcels, public):
    caller = people.program(people.offices()["emergency"])
    parcels.grants.all().delete()
    grant(parcels, "department:emergency", "view", fields=["name"], area=area(*WEST_BOX))
    text = page(caller, "/catalogue/parcels/?lang=en")
    assert "<code>name</code>" in text and "secret_remark" not in text
    for told in ("Features</dt>", "Extent", "Lineage", "OGC API Features"):
        assert told not in text
    assert "6 features" not in page(caller, "/catalogue/?lang=en&q=parcels")


def test_geojson_as_the_standard_has_it(parcels, water):
    answer = water.get("/catalogue/parcels/download.geojson")
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="parcels.geojson"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    document = json.loads(body_of(answer))
    assert [feature["id"] for feature in document["features"]] == [1, 2, 3, 4, 5, 6]
    assert document["features"][0]["properties"]["name"] == "CANARY-parcels-west-1"
    lon, lat = document["features"][0]["geometry"]["coordinates"][0][0]
    assert 113 < lon < 115 and 22 < lat < 23


def test_geopackage_holds_the_stored_coordinates(parcels, water, tmp_path):
    answer = water.get("/catalogue/parcels/download.gpkg")
    path = tmp_path / "read.gpkg"
    path.write_bytes(body_of(answer))
    frame = gpd.read_file(path, layer=0, fid_as_index=True)
    assert (frame.crs.to_epsg(), list(frame.index)) == (4547, [1, 2, 3, 4, 5, 6])
    for row, shape in zip(layermaking.ground("parcels"), frame.geometry, strict=True):
        assert shapely.hausdorff_distance(row["geometry"], shape) < 1e-6
    assert list(frame["name"]) == [row["name"] for row in layermaking.ground("parcels")]
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchall() == [(4547,)]


def test_more_than_a_browser_waits_for_is_a_job(parcels, water, monkeypatch):
    monkeypatch.setattr("layers.catalogue_pages.MOST_AT_ONCE", 5)
    answer = water.get("/catalogue/parcels/download.csv")
    told = json.loads(answer.content)
    assert (answer.status_code, told["code"]) == (413, "ask-for-an-export")
    assert "POST /api/layers/parcels/exports" in told["detail"]


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".csv", ".fgb", ".shp.zip", ".parquet"])
def test_a_download_holds_the_callers_fields_and_area_alone(parcels, public, suffix):
    caller = people.program(people.offices()["emergency"])
    parcels.grants.all().delete()
    grant(parcels, "department:emergency", "view,download", fields=["name"], area=area(*WEST_BOX))
    text = doors.readable(caller.get(f"/catalogue/parcels/download{suffix}"))
    assert all(f"CANARY-parcels-west-{number}" in text for number in (1, 2, 3))
    assert "CANARY-parcels-east" not in text and "SECRET" not in text and "secret_r" not in text


@pytest.mark.parametrize("suffix", ["", ".exe", ".GPKG", ".gpkg.zip", "gpkg", "."])
def test_another_format_is_refused(parcels, water, suffix):
    assert water.get(f"/catalogue/parcels/download{suffix}").status_code in {400, 404}


def test_a_download_of_nothing_is_a_file_without_features(parcels, public, tmp_path):
    caller = people.program(people.offices()["emergency"])
    parcels.grants.all().delete()
    nowhere = area(WEST - 9_000, NORTH - 9_000, WEST - 8_000, NORTH - 8_000)
    grant(parcels, "department:emergency", "view,download", area=nowhere)
    for suffix in (".geojson", ".gpkg", ".fgb"):
        path = tmp_path / f"nothing{suffix}"
        path.write_bytes(body_of(caller.get(f"/catalogue/parcels/download{suffix}")))
        assert len(gpd.read_file(path, layer=0)) == 0


def test_a_download_is_in_the_audit(parcels, water):
    before = AuditRecord.objects.filter(action="layer.download").count()
    water.get("/catalogue/parcels/download.geojson")
    record = AuditRecord.objects.filter(action="layer.download").latest("pk")
    assert AuditRecord.objects.filter(action="layer.download").count() == before + 1
    assert (record.actor, record.object_name) == ("key:water/program", "parcels")


def test_a_right_lost_before_the_download_closes_it(parcels, water):
    assert water.get("/catalogue/parcels/download.geojson").status_code == 200
    parcels.grants.filter(department__code="water").delete()
    answer = water.get("/catalogue/parcels/download.geojson")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "not-granted")
