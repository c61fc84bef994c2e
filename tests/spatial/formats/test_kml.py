import zipfile
from xml.sax.saxutils import escape

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spatial.formats import NotAllowedFormat, SourceLayerMissing, UnreadableSource, open_source
from spatial.validity import Family

RING = "114,22.5,9 114.1,22.5,9 114.1,22.6,9 114,22.5,9"
OUTER = f"<outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates></LinearRing></outerBoundaryIs>"
AREA = f"<Polygon>{OUTER}</Polygon>"
POINT = "<Point><coordinates>114.05, 22.54, 0</coordinates></Point>"


def kml(folder, *placemarks, head="", encoding="utf-8"):
    marks = "".join(f"<Placemark>{one}</Placemark>" for one in placemarks)
    path = folder / "地块.kml"
    path.write_bytes(
        f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>规划</name>{marks}</Folder>'
        "</Document></kml>".encode(encoding)
    )
    return path


def data(**values):
    inner = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in values.items())
    return f"<ExtendedData>{inner}</ExtendedData>"


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def test_placemarks_keep_names_folders_and_extended_data(tmp_path):
    path = kml(
        tmp_path,
        f"<name>甲</name>{data(DLBM='0101', n=3)}{AREA}",
        f"<name>乙</name>{data(DLBM='0301', n=4)}{AREA}",
    )
    source = open_source(path)
    assert (source.driver, source.layer, source.srid, source.family) == ("KML", "地块", 4326, Family.POLYGON)
    assert {field.name: field.type for field in source.fields}["n"] == "integer"
    assert rows(source)[0] == {"name": "甲", "description": None, "folder": "规划", "DLBM": "0101", "n": 3}
    assert source.bounds == (114, 22.5, 114.1, 22.6)


def test_gbk_is_read_as_declared(tmp_path):
    head = '<?xml version="1.0" encoding="GBK"?>'
    source = open_source(kml(tmp_path, f"<name>福田区</name>{POINT}", head=head, encoding="gbk"))
    assert (source.encoding, rows(source)[0]["name"]) == ("gb18030", "福田区")


def test_families_are_layers_of_their_own_and_every_placemark_is_in_one(tmp_path):
    line = "<LineString><coordinates>114,22 115,23</coordinates></LineString>"
    path = kml(tmp_path, AREA, POINT, line, POINT, "<name>空</name>")
    with pytest.raises(SourceLayerMissing) as refusal:
        open_source(path)
    layers = refusal.value.facts["layers"]
    counts = {layer: open_source(path, source_layer=layer).count for layer in layers}
    assert counts == {"points": 3, "lines": 1, "polygons": 1}


def test_several_geometries_of_one_placemark_are_gathered(tmp_path):
    source = open_source(kml(tmp_path, f"<MultiGeometry>{AREA}{AREA}</MultiGeometry>"))
    assert next(source.batches()).geometries[0].geom_type == "MultiPolygon"


@pytest.mark.parametrize("broken", ["114", "a,b", "1e400,0 1,1", "114;22.5", "NaN,1", ""])
def test_coordinates_that_are_none_count_as_missing(tmp_path, broken):
    source = open_source(kml(tmp_path, POINT, f"<Point><coordinates>{broken}</coordinates></Point>"))
    assert [shape is None for shape in next(source.batches()).geometries] == [False, True]
    assert [note["code"] for note in source.notes] == ["bad-coordinates"]


@pytest.mark.parametrize("text", ["<html/>", "<kml><Placemark></kml>", "<kml>" + "<a>" * 70])
def test_what_is_no_kml_is_refused(tmp_path, text):
    path = tmp_path / "x.kml"
    path.write_text(text)
    with pytest.raises(UnreadableSource):
        open_source(path)


def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path):
    path = tmp_path / "x.kml"
    path.write_text('<!DOCTYPE kml [<!ENTITY a "b">]><kml>&a;</kml>')
    with pytest.raises(NotAllowedFormat):
        open_source(path)


def test_a_kmz_is_its_first_document(tmp_path):
    path = tmp_path / "x.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(kml(tmp_path, POINT), "doc.kml")
        archive.writestr("files/icon.png", b"\x89PNG")
    assert open_source(path).count == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
            st.floats(-180, 180),
            st.floats(-90, 90),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read(tmp_path, places):
    marks = [
        f"<name>{escape(name)}</name><Point><coordinates>{x!r},{y!r}</coordinates></Point>"
        for name, x, y in places
    ]
    source = open_source(kml(tmp_path, *marks))
    batch = next(source.batches())
    assert [(point.x, point.y) for point in batch.geometries] == [(x, y) for _, x, y in places]
    read = [row["name"] for row in batch.table.to_pylist()]
    assert [str(name) if name is not None else "" for name in read] == [
        name.strip() for name, _, _ in places
    ] or all(field.type != "text" for field in source.fields if field.name == "name")


def test_a_ring_left_open_is_closed(tmp_path):
    open_ring = AREA.replace(RING, "114,22.5 114.1,22.5 114.1,22.6")
    shape = next(open_source(kml(tmp_path, open_ring)).batches()).geometries[0]
    assert shape.equals(shapely.Polygon([(114, 22.5), (114.1, 22.5), (114.1, 22.6)]))
