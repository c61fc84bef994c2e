import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.crs import CRS84, INPUT_SRIDS, OUTPUT_SRIDS, UnknownCrs, crs_of, numeric_bounds, parse_crs
from spatial.errors import Kind


@pytest.mark.parametrize(
    "form",
    [
        "EPSG:{}",
        "epsg:{}",
        "[EPSG:{}]",
        "urn:ogc:def:crs:EPSG::{}",
        "urn:ogc:def:crs:EPSG:9.9.1:{}",
        "http://www.opengis.net/def/crs/EPSG/0/{}",
        "https://www.opengis.net/def/crs/EPSG/0/{}",
        "[http://www.opengis.net/def/crs/EPSG/0/{}]",
    ],
)
@pytest.mark.parametrize("srid", OUTPUT_SRIDS)
def test_every_form_of_a_code(form, srid):
    assert parse_crs(form.format(srid), OUTPUT_SRIDS) == crs_of(srid)


@pytest.mark.parametrize(
    "text",
    [
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "http://www.opengis.net/def/crs/OGC/0/CRS84",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
        "OGC:CRS84",
        "CRS:84",
        "CRS84",
    ],
)
def test_every_form_of_crs84(text):
    assert parse_crs(text, OUTPUT_SRIDS) is CRS84
    with pytest.raises(UnknownCrs):
        parse_crs(text, {4547})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4326",
        "EPSG:",
        "EPSG:32650",
        "EPSG:２",
        "EPSG:4326 ",
        "EPSG:4326+5773",
        "http://127.0.0.1:9/x",
        "/etc/passwd",
        "/vsicurl/http://127.0.0.1/x",
        "+proj=longlat",
        'GEOGCS["x"]',
        "urn:ogc:def:crs:EPSG::4326" + "0" * 200,
        "EPSG:4326\n",
        "EPSG:004326",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UnknownCrs) as refusal:
        parse_crs(text, OUTPUT_SRIDS)
    assert (refusal.value.kind, refusal.value.code) == (Kind.INVALID, "unknown-crs")


@given(st.text(max_size=60))
def test_any_text_is_known_or_refused(text):
    try:
        assert parse_crs(text, OUTPUT_SRIDS).srid in OUTPUT_SRIDS
    except UnknownCrs as refusal:
        assert len(str(refusal.facts["crs"])) < 600


@pytest.mark.parametrize(
    ("srid", "north_first"), [(4326, True), (4490, True), (4547, True), (4526, True), (3857, False)]
)
def test_axis_order_is_the_definitions_own(srid, north_first):
    assert crs_of(srid).north_first is north_first
    assert ("+axis=neu" in crs_of(srid).proj4) is north_first
    assert CRS84.north_first is False


@pytest.mark.parametrize("srid", INPUT_SRIDS)
def test_the_browsers_definition_computes_the_same(srid):
    crs = crs_of(srid)
    lon, lat = (crs.area.xmin + crs.area.xmax) / 2, (crs.area.ymin + crs.area.ymax) / 2
    base = pyproj.CRS.from_epsg(srid).geodetic_crs
    expected = pyproj.Transformer.from_crs(base, srid, always_xy=True).transform(lon, lat)
    browser = pyproj.Proj(crs.proj4.replace(" +axis=neu", ""))
    found = (lon, lat) if crs.geographic else browser(lon, lat)
    assert found == pytest.approx(expected, abs=1e-4)


def test_what_is_in_and_what_is_out():
    assert set(OUTPUT_SRIDS) <= set(INPUT_SRIDS)
    assert set(range(4491, 4555)) <= set(INPUT_SRIDS)
    assert {2383, 2435, 4610, 4214, 2326} <= set(INPUT_SRIDS)
    assert crs_of(4547).name_zh == "2000国家大地坐标系 / 高斯-克吕格 3度带 中央经线114°E"
    assert crs_of(4526).name_zh.endswith("第38带")
    assert crs_of(4547).area.xmin == pytest.approx(112.5)


@pytest.mark.parametrize(
    ("srid", "xmin", "xmax"),
    [
        (4547, -618_929, 1_618_929),
        (4526, 37_381_071, 39_618_929),
        (4490, -180, 180),
        (3857, -20037508.342789244, 20037508.342789244),
    ],
)
def test_numeric_bounds(srid, xmin, xmax):
    bounds = numeric_bounds(srid)
    assert (bounds.xmin, bounds.xmax) == (xmin, xmax)


def test_ten_degrees_off_the_meridian_is_just_inside():
    bounds = numeric_bounds(4547)
    east, _ = pyproj.Transformer.from_crs(4490, 4547, always_xy=True).transform(124.0, 0.0)
    assert 0 <= bounds.xmax - east < 1
    assert (bounds.ymin, bounds.ymax) == (-10_001_966, 10_001_966)


def test_a_code_that_epsg_does_not_have():
    with pytest.raises(UnknownCrs):
        crs_of(999_999)
    with pytest.raises(UnknownCrs):
        crs_of(5737)  # a height system
