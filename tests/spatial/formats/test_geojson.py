import json

import pytest

from spatial.crs import ObfuscatedDatum, UnknownCrs
from spatial.formats import NotAllowedFormat, UnreadableSource, open_source

POINT = {
    "type": "Feature",
    "properties": {"名称": "深圳", "crs": "text"},
    "geometry": {"type": "Point", "coordinates": [506000, 2494000]},
}


@pytest.fixture
def write(tmp_path):
    def put(*features, text=None, encoding="utf-8", **members):
        path = tmp_path / "data.geojson"
        whole = {"type": "FeatureCollection", "features": list(features or [POINT]), **members}
        path.write_bytes((text or json.dumps(whole, ensure_ascii=False)).encode(encoding))
        return path

    return put


def named(name):
    return {"type": "name", "properties": {"name": name}}


@pytest.mark.parametrize(
    ("members", "srid"),
    [
        ({}, 4326),
        ({"crs": None}, None),
        ({"crs": named("urn:ogc:def:crs:OGC:1.3:CRS84")}, 4326),
        ({"crs": named("urn:ogc:def:crs:EPSG::4547")}, 4547),
        ({"crs": {"type": "EPSG", "properties": {"code": 4490}}}, 4490),
    ],
)
def test_the_declared_system(write, members, srid):
    source = open_source(write(**members))
    assert source.srid == srid
    assert next(source.batches()).geometries[0].x == 506000


@pytest.mark.parametrize(
    "member",
    [
        named("EPSG:32650"),
        named("/etc/passwd"),
        named("http://127.0.0.1:9/x"),
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/x", "type": "proj4"}},
        {"type": "name"},
        {"type": "EPSG", "properties": {"code": "4547 or 1"}},
        {},
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_any_other_system_is_refused_before_gdal_sees_it(write, member, escaped):
    path = write(crs=member)
    if escaped:
        path.write_text(path.read_text().replace('"crs": {', '"\\u0063rs": {'))
    with pytest.raises(UnknownCrs):
        open_source(path)


def test_a_link_inside_a_geometry_is_refused_too(write):
    feature = json.loads(json.dumps(POINT))
    feature["geometry"]["crs"] = {"type": "link", "properties": {"href": "http://127.0.0.1:9/x"}}
    with pytest.raises(UnknownCrs):
        open_source(write(feature))


def test_a_shifted_datum_is_refused(write):
    with pytest.raises(ObfuscatedDatum):
        open_source(write(crs=named("GCJ-02")))


def test_values_stay_what_they_are(write):
    feature = {
        **POINT,
        "properties": {"day": "2022/03/16", "list": [1, 2], "deep": {"a": "深"}, "code": "0007"},
    }
    row = next(open_source(write(feature)).batches()).table.to_pylist()[0]
    assert row["day"] == "2022/03/16"
    assert json.loads(row["list"]) == [1, 2]
    assert json.loads(row["deep"]) == {"a": "深"}
    assert row["code"] == "0007"


def test_numbers_that_json_lacks_become_null_with_a_note(write):
    path = write(
        *({"type": "Feature", "properties": {"n": n}, "geometry": None} for n in (float("nan"), 1.5))
    )
    assert "NaN" in path.read_text()
    source = open_source(path)
    assert [row["n"] for row in next(source.batches()).table.to_pylist()] == [None, 1.5]
    assert [note["code"] for note in source.notes] == ["not-finite"]


def test_long_integers_beside_reals_are_told(write):
    features = [{**POINT, "properties": {"id": 12345678901234567890}}, {**POINT, "properties": {"id": 1}}]
    assert "precision" in {note["code"] for note in open_source(write(*features)).notes}


def test_gbk_text_is_understood(write):
    source = open_source(write({**POINT, "properties": {"名称": "深圳市福田区"}}, encoding="gbk"))
    assert (source.encoding, source.encoding_sure) == ("gb18030", True)
    assert next(source.batches()).table.to_pylist()[0]["名称"] == "深圳市福田区"


@pytest.mark.parametrize(
    "text",
    ["<OGRVRTDataSource/>", "[]", '{"type":"Nothing"}', '{"type":"FeatureCollection","features":[{"ty'],
)
def test_what_is_no_geojson(write, text):
    with pytest.raises((UnreadableSource, NotAllowedFormat)):
        open_source(write(text=text))


def test_open_rings_are_closed_with_a_note(write):
    ring = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}
    source = open_source(write({**POINT, "geometry": ring}))
    assert next(source.batches()).geometries[0].area == 1
    assert [(note["code"], note["count"]) for note in source.notes] == [("rings-closed", 1)]
