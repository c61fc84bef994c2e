import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.crs import INPUT_SRIDS, ObfuscatedDatum, identify_wkt
from spatial.errors import Kind

DEGREE = 'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]'
WGS84 = f'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],{DEGREE}]'
BASE = 'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",'
ORIGIN = 'PARAMETER["False_Northing",0.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0]'


def plane(name="anything", x=500000.0, lon=114.0, a=6378137.0, unit=1.0):
    base = f"{BASE}{a},298.257222101]],{DEGREE}]"
    moving = f'PARAMETER["False_Easting",{x}],PARAMETER["Central_Meridian",{lon}]'
    return f'PROJCS["{name}",{base},PROJECTION["Gauss_Kruger"],{moving},{ORIGIN},UNIT["Meter",{unit}]]'


@pytest.mark.parametrize(
    "dialect", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2015", "WKT2_2019", "WKT2_2019_SIMPLIFIED"]
)
@pytest.mark.parametrize("srid", INPUT_SRIDS)
def test_every_code_of_the_table_in_every_dialect(srid, dialect):
    assert identify_wkt(pyproj.CRS.from_epsg(srid).to_wkt(dialect, pretty=True)) == srid


@pytest.mark.parametrize(
    ("text", "srid"),
    [
        (plane("CGCS2000_3_Degree_GK_CM_114E"), 4547),
        (plane("a name of nobody's"), 4547),
        (plane("CGCS2000_3_Degree_GK_CM_114E", x=38500000.0), 4526),
        (plane("CGCS2000_3_Degree_GK_CM_117E", lon=117.0), 4548),
        (plane("CGCS2000_GK_CM_117E", lon=117.0), 4509),
        (plane("CGCS2000_GK_Zone_20", lon=117.0, x=20500000.0), 4498),
        (plane(lon=114.5), None),
        (plane(x=400000.0), None),
        (plane(a=6378140.0), None),
        (plane(unit=0.3048), None),
        (plane(x=39500000.0), None),
        (WGS84, 4326),
        (f'COMPD_CS["both",{WGS84},VERT_CS["Yellow Sea 1985",VERT_DATUM["x",2005],UNIT["metre",1]]]', 4326),
        ("\ufeff" + WGS84 + "\n", 4326),
        (WGS84.replace('Greenwich",0.0', 'Paris",2.33'), None),
    ],
)
def test_numbers_tell_not_names(text, srid):
    assert identify_wkt(text) == srid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EPSG:4547",
        "http://127.0.0.1:9/x",
        "/etc/passwd",
        "+proj=longlat",
        "GEOGCS",
        "GEOGCS[",
        "PROJCS[]",
        'GEOGCS["x"',
        'LOCAL_CS["x"]',
        "GEOGCS[" * 100,
        WGS84 + " " * 20_000,
        "GEOGCS]]]",
        'GEOGCS["a",1.2.3]',
    ],
)
def test_what_is_no_wkt_is_nothing(text):
    assert identify_wkt(text) is None


@given(st.text(alphabet='GEOCSPRJ[]()",0123. ', max_size=80))
def test_any_text_is_read_or_left(text):
    assert identify_wkt('GEOGCS["x",' + text) is None


@pytest.mark.parametrize(
    "word", ["GCJ-02", "gcj02", "Mars", "D_Mars_2000", "BD-09", "BD09", "Baidu_1936", "火星坐标系", "百度"]
)
def test_a_shifted_datum_is_refused(word):
    with pytest.raises(ObfuscatedDatum) as refusal:
        identify_wkt(WGS84.replace("GCS_WGS_1984", word))
    assert (refusal.value.kind, refusal.value.code) == (Kind.UNPROCESSABLE, "gcj02-declared")


def test_marseille_is_not_mars():
    assert identify_wkt(WGS84.replace("GCS_WGS_1984", "Marseille")) == 4326
