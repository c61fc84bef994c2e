import pytest

from spatial.crs import ObfuscatedDatum, UnknownCrs
from spatial.formats import SourceLayerMissing, UnreadableSource, open_source
from spatial.validity import Family

BOX = (506_000, 2_494_000, 506_030, 2_494_010)


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def point(folder, srs, place, extra=""):
    path = folder / "点.gml"
    path.write_text(
        f"""<c xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><p><code>007</code><n>5</n>{extra}
        <g><gml:Point {srs}><gml:pos>{place}</gml:pos></gml:Point></g></p></gml:featureMember></c>"""
    )
    return path


@pytest.mark.parametrize("version", ["GML2", "GML3", "GML3.2", "GML3Deegree"])
def test_every_version_is_read(tmp_path, frame, version):
    path = tmp_path / "parcel.gml"
    frame.to_file(path, driver="GML", FORMAT=version)
    source = open_source(path)
    assert (source.srid, source.count, source.family) == (4547, 2, Family.POLYGON)
    assert source.bounds == pytest.approx(BOX)
    row = rows(source)[0]
    assert (row["名称"], row["code"], row["n"]) == ("深圳市福田区", "0001", 1)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["parcel.gml", "parcel.xsd"]


@pytest.mark.parametrize(
    ("srs", "place"),
    [
        ('srsName="EPSG:4490"', "114.1 22.5"),
        ('srsName="http://www.opengis.net/gml/srs/epsg.xml#4490"', "114.1 22.5"),
        ('srsName="urn:ogc:def:crs:EPSG::4490"', "22.5 114.1"),
        ('srsName="http://www.opengis.net/def/crs/EPSG/0/4490"', "22.5 114.1"),
    ],
)
def test_the_order_of_axes_follows_the_way_a_system_is_named(tmp_path, srs, place):
    source = open_source(point(tmp_path, srs, place))
    shape = next(source.batches()).geometries[0]
    assert (source.srid, shape.x, shape.y) == (4490, 114.1, 22.5)
    assert source.bounds == (114.1, 22.5, 114.1, 22.5)


def test_codes_keep_their_zeros_and_numbers_are_numbers(tmp_path):
    source = open_source(point(tmp_path, "", "1 2"))
    assert source.srid is None
    assert rows(source)[0]["code"] == "007"
    assert rows(source)[0]["n"] == 5


@pytest.mark.parametrize("srs", ["EPSG:99999", "http://127.0.0.1:9/x", "/etc/passwd", "+proj=longlat"])
def test_other_systems_are_refused(tmp_path, srs):
    with pytest.raises(UnknownCrs):
        open_source(point(tmp_path, f'srsName="{srs}"', "1 2"))


def test_a_shifted_datum_is_refused(tmp_path):
    with pytest.raises(ObfuscatedDatum):
        open_source(point(tmp_path, 'srsName="GCJ-02"', "1 2"))


def test_a_side_car_is_not_looked_at(tmp_path):
    path = point(tmp_path, 'srsName="EPSG:4490"', "114 22")
    path.with_suffix(".gfs").write_text(
        "<GMLFeatureClassList><GMLFeatureClass><Name>no</Name></GMLFeatureClass>"
    )
    path.with_suffix(".xsd").write_text("<broken")
    assert open_source(path).layers == ["p"]


def test_several_feature_types_need_a_choice(tmp_path):
    path = tmp_path / "x.gml"
    path.write_text(
        """<c xmlns:gml="http://www.opengis.net/gml">
        <gml:featureMember><a><n>1</n></a></gml:featureMember><gml:featureMember><b><n>1</n></b></gml:featureMember></c>"""
    )
    with pytest.raises(SourceLayerMissing) as refusal:
        open_source(path)
    assert refusal.value.facts["layers"] == ["a", "b"]
    assert open_source(path, source_layer="b").family is None


@pytest.mark.parametrize("text", ["<x/>", "<x>", "<x></y>"])
def test_without_features_it_is_refused(tmp_path, text):
    path = tmp_path / "x.gml"
    path.write_text(text)
    with pytest.raises(UnreadableSource):
        open_source(path)
