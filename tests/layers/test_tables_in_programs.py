"""Desktop programs read a table without geometry over HTTP."""

import subprocess
import sys

import owslib.ogcapi.features
import pyogrio

from tests.conftest import ROOT

READER = ROOT / "tests/conformance/read_oapif.py"


def test_desktop_programs_read_a_table(land):
    name, table = land.lots(2, key="code"), land.name_of_layer("sheet")
    path = land.folder / f"{table}.csv"
    path.write_text("lot_code,owner\nA1,林\nA2,王\n", encoding="utf-8")
    report = land.bring(path, table, joins=name, join_field="lot_code", public=True)
    assert report["inserted"] == 2
    out = land.folder / f"{table}_read.gpkg"
    words = [sys.executable, str(READER), f"{land.url}/ogc", table, str(out)]
    read = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert read.returncode == 0, read.stderr
    frame = pyogrio.read_dataframe(out, layer=table)
    assert list(frame["owner"]) == ["林", "王"]
    assert "geometry" not in frame or frame["geometry"].isna().all()
    owslib.ogcapi.REQUEST_HEADERS.pop("Authorization", None)  # OWSLib keeps those of its last client
    items = owslib.ogcapi.features.Features(f"{land.url}/ogc/").collection_items(table)
    assert [one["properties"]["lot_code"] for one in items["features"]] == ["A1", "A2"]
    assert [one["geometry"] for one in items["features"]] == [None, None]
