"""A string that names a coordinate system is looked up in our table and reaches no library (threats V1, V2)."""

import json
import shutil
import socket
import sqlite3
from urllib.parse import quote

import geopandas as gpd
import pyogrio
import pytest
import shapely

from tests.config.watching import Trap
from tests.conftest import wait_until

SQUARE = shapely.box(114.05, 22.54, 114.06, 22.55)
LAYER = "reference_strings"


@pytest.fixture
def trap(tmp_path):
    one = Trap(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="module")
def key(site, tmp_path_factory):
    """A key that may query and edit a layer of one square."""
    path = tmp_path_factory.mktemp("square") / "square.geojson"
    gpd.GeoDataFrame({"name": ["square"]}, geometry=[SQUARE], crs=4326).to_file(path)
    code, report = site.manage(
        "import_layer", str(path), "--layer", LAYER, "--title", "方", "--department", "data"
    )
    assert code == 0, report
    site.manage("grant", "--layer", LAYER, "--to", "department:transport", "--actions", "view,query,edit")
    return site.manage("service_key", "create", "--department", "transport", "--name", "strings")[1]["key"]


def import_all(site, sources):
    """Import each path with its options in one process of the site; the reports."""
    code = f"""
import json
from pathlib import Path
from layers.exchange.imports import import_now
from layers.exchange.options import ImportOptions
from spatial.errors import OnemapError
for path, options in json.loads({json.dumps(sources)!r}):
    try:
        report = import_now(Path(path), ImportOptions(layer="hostile", title="t", department="data", **options))
    except OnemapError as error:
        report = {{"status": "refused", "code": error.code, "reason": error.text("en")}}
    print(json.dumps(report))
"""
    return [json.loads(line) for line in site.shell(code).splitlines()]


def test_the_traps_spring(trap):
    assert trap.touched() == (0, False)
    trap.canary.read_text()
    socket.create_connection(("127.0.0.1", trap.port)).close()
    wait_until(lambda: trap.connections)
    assert trap.touched() == (1, True)


@pytest.mark.parametrize("parameter", ["crs", "bbox-crs"])
def test_a_query_parameter_is_looked_up(site, key, trap, parameter):
    for text in trap.strings():
        asked = f"/ogc/collections/{LAYER}/items?bbox=0,0,1,1&{parameter}={quote(text, safe='')}"
        status, _, body = site.get(asked, key)
        assert (status, json.loads(body)["code"]) == (400, "unknown-crs"), (text, body)
    assert trap.touched() == (0, False)


def test_a_content_crs_is_looked_up(site, key, trap):
    edit = {"op": "insert", "geometry": SQUARE.__geo_interface__, "properties": {"name": "new"}}
    for text in trap.strings():
        if "\n" in text:
            continue
        status, _, body = site.get(
            f"/api/layers/{LAYER}/changes",
            key,
            headers={"Content-Crs": f"<{text}>"},
            method="POST",
            body={"reason": "a test", "edits": [edit]},
        )
        assert (status, json.loads(body)["code"]) == (400, "unknown-crs"), (text, body)
    assert trap.touched() == (0, False)


def test_source_crs_is_looked_up(site, key, trap, tmp_path):
    path = tmp_path / "square.geojson"
    gpd.GeoDataFrame({"name": ["square"]}, geometry=[SQUARE], crs=4326).to_file(path)
    sources = [(str(path), {"source_crs": text}) for text in trap.strings()]
    reports = import_all(site, sources)
    assert [report["status"] for report in reports] == ["failed"] * len(sources), reports
    assert {report["code"] for report in reports} == {"unknown-crs"}
    assert trap.touched() == (0, False)
    code, report = site.manage("export_layer", LAYER, str(tmp_path / "out.gpkg"), "--crs", trap.strings()[0])
    assert (code, report["code"]) == (1, "unknown-crs")
    assert trap.touched() == (0, False)


def test_a_prj_is_read_as_text_alone(site, trap, tmp_path):
    gpd.GeoDataFrame({"name": ["square"]}, geometry=[SQUARE], crs=4326).to_file(tmp_path / "plain.shp")
    sources = []
    for number, text in enumerate(trap.strings()):
        for suffix in ("shp", "shx", "dbf"):
            shutil.copy(tmp_path / f"plain.{suffix}", tmp_path / f"prj{number}.{suffix}")
        (tmp_path / f"prj{number}.prj").write_text(text)
        sources.append((str(tmp_path / f"prj{number}.shp"), {}))
    reports = import_all(site, sources)
    assert [report["status"] for report in reports] == ["held"] * len(sources), reports
    assert {one["code"] for report in reports for one in report["held"]} == {"crs-missing"}
    assert trap.touched() == (0, False)


def test_a_geopackages_definition_is_read_as_text_alone(site, trap, tmp_path):
    sources = []
    for number, text in enumerate(trap.strings()):
        path = tmp_path / f"definition{number}.gpkg"
        gpd.GeoDataFrame({"name": ["square"]}, geometry=[SQUARE], crs=4326).to_file(path)
        with sqlite3.connect(path) as book:
            book.execute(
                "UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', organization_coordsys_id = 99,"
                " definition = ? WHERE srs_id = 4326",
                [text],
            )
        sources.append((str(path), {}))
    reports = import_all(site, sources)
    assert [report["status"] for report in reports] == ["held"] * len(sources), reports
    assert {one["code"] for report in reports for one in report["held"]} == {"crs-missing"}
    assert trap.touched() == (0, False)


def members(trap):
    """`crs` members as GeoJSON of 2008 had them, and what was made of them since."""
    texts = trap.strings()
    named = [{"type": "name", "properties": {"name": text}} for text in texts]
    linked = [
        {"type": "link", "properties": {"href": text, "type": kind}}
        for text in texts[:4]
        for kind in ("proj4", "ogcwkt")
    ]
    # A bare string is no crs member in any version of the format: in a file it is a field of that name.
    odd = [
        {"type": "EPSG", "properties": {"code": texts[0]}},
        {"type": "OGC", "properties": {"urn": texts[3]}},
    ]
    return [*named, *linked, *odd]


def test_a_crs_member_of_a_file_is_looked_up(site, trap, tmp_path):
    sources = []
    for number, member in enumerate(members(trap)):
        path = tmp_path / f"member{number}.geojson"
        feature = {"type": "Feature", "properties": {"name": "x"}, "geometry": SQUARE.__geo_interface__}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": member, "features": [feature]}))
        sources.append((str(path), {}))
    reports = import_all(site, sources)
    assert [report["status"] for report in reports] == ["failed"] * len(sources), reports
    assert {report["code"] for report in reports} == {"unknown-crs"}
    assert trap.touched() == (0, False)


def test_a_crs_member_of_an_edit_changes_nothing_or_is_refused(site, key, trap):
    for member in members(trap):
        edit = {
            "op": "insert",
            "geometry": {**SQUARE.__geo_interface__, "crs": member},
            "properties": {"name": "n"},
        }
        status, _, body = site.get(
            f"/api/layers/{LAYER}/changes", key, method="POST", body={"reason": "a test", "edits": [edit]}
        )
        assert status in {200, 201, 400, 422}, (member, body)
    assert trap.touched() == (0, False)


def test_a_crs_member_of_a_granted_area_is_refused_in_one_line(site, key, trap):
    for member in members(trap)[13:15]:
        area = json.dumps({**SQUARE.__geo_interface__, "crs": member})
        code, report = site.manage(
            "grant", "--layer", LAYER, "--to", "department:water", "--actions", "view", "--area", area
        )
        assert (code, report["code"]) == (1, "bad-grant"), report
    assert trap.touched() == (0, False)


def test_the_table_has_the_drivers_for_delivered_files_alone(site):
    code = "import json, pyogrio, spatial.formats.gdal; print(json.dumps(sorted(pyogrio.list_drivers())))"
    left = json.loads(site.shell(code))
    assert set(left) <= {
        "CSV",
        "ESRI Shapefile",
        "FlatGeobuf",
        "GML",
        "GPKG",
        "GeoJSON",
        "MEM",
        "MapInfo File",
        "OpenFileGDB",
    }
    assert pyogrio.__gdal_version__ >= (3, 9)
