import pyogrio
import pytest
from pyogrio.errors import DataSourceError

from spatial.formats import NotAllowedFormat, TooManyFields, UnreadableSource, internal_columns, open_source
from spatial.formats.gdal import DRIVERS, put_drivers_away
from spatial.validity import Family

VRT = b"""<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>
</OGRVRTDataSource>"""


@pytest.mark.parametrize(
    "suffix",
    [
        ".shp",
        ".gpkg",
        ".fgb",
        ".zip",
        ".geojson",
        ".json",
        ".csv",
        ".vrt",
        ".kml",
        ".gml",
        ".dxf",
        ".xlsx",
        ".parquet",
        ".tab",
        "",
    ],
)
@pytest.mark.parametrize(
    "content", [VRT, b"PK\x03\x04" + bytes(40), b"%PDF-1.7\n" + bytes(40), b"SQLite format 3\x00" + bytes(90)]
)
def test_a_file_that_lies_about_its_format_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"layer{suffix}"
    path.write_bytes(content)
    with pytest.raises((NotAllowedFormat, UnreadableSource)) as refusal:
        open_source(path)
    assert str(tmp_path) not in str(refusal.value)
    assert refusal.value.text("zh")


def test_gdal_has_no_driver_beyond_the_list(tmp_path):
    assert set(put_drivers_away()) <= DRIVERS
    path = tmp_path / "layer.vrt"
    path.write_bytes(VRT)
    with pytest.raises(DataSourceError):
        pyogrio.read_info(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(UnreadableSource):
        open_source(tmp_path / "none.gpkg")


@pytest.mark.parametrize(
    "names", [["select", "gid", "geom", "xmin"], ["a", "A", " a"], ['"', "😀", "\u202e"], ["名" * 80] * 250]
)
def test_internal_columns_are_all_different_and_plain(names):
    columns = internal_columns(names)
    assert len(set(columns)) == len(names)
    assert all(column.isascii() and column.isidentifier() and len(column) == 5 for column in columns)
    assert internal_columns(names) == columns


def test_at_most_250_columns():
    with pytest.raises(TooManyFields):
        internal_columns(["x"] * 251)


def test_a_text_is_told_by_what_it_begins_with(tmp_path):
    corners = "J1,2494000,506000\nJ2,2494010,506000\nJ3,2494010,506010\nJ1,2494000,506000\n"
    texts = {
        "corners": corners,
        "land": "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=38\n[地块坐标]\n4,0.01,1,甲,面,,,,@\n"
        "J1,1,2494000,38506000\nJ2,1,2494010,38506000\nJ3,1,2494010,38506010\nJ1,1,2494000,38506000\n",
        "table": "a,b\n1,2\n",
    }
    families = {}
    for name, text in texts.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text)
        families[name] = open_source(path).family
    assert families == {"corners": Family.POLYGON, "land": Family.POLYGON, "table": None}
