import shutil
import sqlite3
import zipfile

import pandas as pd
import pyogrio
import pytest

from spatial.formats import ArchiveTooBig, NotAllowedFormat, UnreadableSource, open_source
from spatial.formats.listing import list_layers


@pytest.fixture
def work(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def delivery(tmp_path, frame):
    """A folder as a district hands it over."""
    root = tmp_path / "福田区"
    (root / "图层" / "界线").mkdir(parents=True)
    (root / "表格").mkdir()
    frame.to_file(root / "图层" / "DLTB.shp", encoding="gbk")
    frame.to_file(root / "图层" / "界线" / "XZQ.shp", encoding="gbk")
    for suffix in (".dbf", ".cpg"):
        shutil.copy((root / "图层" / "DLTB.shp").with_suffix(suffix), root / "表格" / f"KZMJ{suffix}")
    plain = frame.drop(columns="geometry")
    plain.to_excel(root / "表格" / "汇总.xlsx", index=False)
    plain.to_csv(root / "表格" / "说明.csv", index=False)
    frame.to_file(root / "调查.gdb", driver="OpenFileGDB", layer="ZD")
    pyogrio.write_dataframe(plain, root / "调查.gdb", driver="OpenFileGDB", layer="QSB", append=True)
    frame.to_file(root / "规划.gpkg", layer="GHDL")
    pyogrio.write_dataframe(plain, root / "规划.gpkg", layer="GHB", append=True)
    (root / "DEM.tif").write_bytes(b"II*\x00")
    (root / "DEM.tfw").write_text("1")
    (root / "说明.pdf").write_bytes(b"%PDF")
    return root


EXPECTED = {
    ("DLTB", "layer", ".shp"),
    ("XZQ", "layer", ".shp"),
    ("KZMJ", "table", ".dbf"),
    ("汇总", "table", ".xlsx"),
    ("说明", "table", ".csv"),
    ("ZD", "layer", ".gdb"),
    ("QSB", "table", ".gdb"),
    ("GHDL", "layer", ".gpkg"),
    ("GHB", "table", ".gpkg"),
    ("DEM", "raster", ".tif"),
}


def zipped(root, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in sorted(root.rglob("*")):
            if item.is_file():
                archive.write(item, item.relative_to(root.parent))
    return path


def opened(found):
    return {
        item.name: open_source(item.path, source_layer=item.source_layer, name=item.name)
        for item in found.items
        if item.kind != "raster"
    }


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_everything_in_a_delivery_is_listed_and_can_be_opened(delivery, work, tmp_path, form):
    path = delivery if form == "folder" else zipped(delivery, tmp_path / "福田区.zip")
    found = list_layers(path, work)
    assert {(item.name, item.kind, item.format) for item in found.items} == EXPECTED
    assert [name.rpartition("/")[2] for name in found.left_out] == (
        ["说明.pdf"] if form == "folder" else ["DEM.tfw", "说明.pdf"]
    )
    sources = opened(found)
    for item in found.items:
        if item.kind != "raster":
            assert (sources[item.name].family is None) == (item.kind == "table")
            assert sources[item.name].count == 2
    assert sources["DLTB"].layer == "DLTB"


def test_names_of_an_archive_are_never_paths(delivery, work, tmp_path):
    found = list_layers(zipped(delivery, tmp_path / "x.zip"), work)
    inside = [str(item.relative_to(work)) for item in work.rglob("*")]
    assert all(name.isascii() for name in inside)
    assert all(item.path.is_relative_to(work) for item in found.items)


def test_a_geodatabase_by_itself(delivery, work):
    found = list_layers(delivery / "调查.gdb", work)
    assert [(item.name, item.source_layer, item.kind) for item in found.items] == [
        ("ZD", "ZD", "layer"),
        ("QSB", "QSB", "table"),
    ]


def test_a_single_file(delivery, work):
    found = list_layers(delivery / "图层" / "DLTB.shp", work)
    assert [(item.name, item.kind) for item in found.items] == [("DLTB", "layer")]


def test_sheets_and_families_are_told_apart(work, tmp_path, frame):
    write_sheets(tmp_path / "表.xlsx", frame)
    (tmp_path / "图.kml").write_text(
        "<kml><Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>"
        "<Placemark><LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark></kml>"
    )
    folder = tmp_path / "delivered"
    folder.mkdir()
    for name in ("表.xlsx", "图.kml"):
        shutil.move(tmp_path / name, folder / name)
    found = {(item.name, item.source_layer, item.kind) for item in list_layers(folder, work).items}
    assert found == {
        ("权属", "权属", "table"),
        ("面积", "面积", "table"),
        ("图/points", "points", "layer"),
        ("图/lines", "lines", "layer"),
    }


def write_sheets(path, frame):
    plain = frame.drop(columns="geometry")
    with pd.ExcelWriter(path) as book:
        for sheet in ("权属", "面积"):
            plain.to_excel(book, sheet_name=sheet, index=False)


def test_a_broken_file_is_listed_and_refused_by_itself(delivery, work):
    (delivery / "坏.gpkg").write_bytes(b"SQLite format 3\x00" + bytes(100))
    found = list_layers(delivery, work)
    (broken,) = [item for item in found.items if item.name == "坏"]
    with pytest.raises((UnreadableSource, NotAllowedFormat)):
        open_source(broken.path, source_layer=broken.source_layer)
    assert len(found.items) == len(EXPECTED) + 1


def test_case_and_order_of_parts_do_not_matter(delivery, work):
    for item in list((delivery / "图层").glob("DLTB.*")):
        item.rename(item.with_name(item.name.swapcase()))
    names = {item.name for item in list_layers(delivery, work).items}
    assert "dltb" in names
    assert len(names) == len(EXPECTED)


def test_links_are_refused(delivery, work):
    (delivery / "图层" / "x.csv").symlink_to("/etc/passwd")
    with pytest.raises(NotAllowedFormat):
        list_layers(delivery, work)


def test_archives_within_and_bombs_are_refused(work, tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.zip", b"PK\x03\x04")
    with pytest.raises(NotAllowedFormat):
        list_layers(path, work)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tif", bytes(30_000_000))
    shutil.rmtree(work)
    work.mkdir()
    with pytest.raises(ArchiveTooBig):
        list_layers(path, work)


def test_nothing_that_is_read(work, tmp_path):
    folder = tmp_path / "delivered"
    folder.mkdir()
    (folder / "x.exe").write_bytes(b"MZ")
    with pytest.raises(NotAllowedFormat):
        list_layers(folder, work)
    with pytest.raises(UnreadableSource):
        list_layers(tmp_path / "none", work)


SCHEMA = """
    create table if not exists gpkg_extensions (table_name text, column_name text, extension_name text,
        definition text, scope text);
    insert into gpkg_extensions values ('gpkg_data_columns', null, 'gpkg_schema', 'x', 'read-write');
    create table gpkg_data_columns (table_name text, column_name text, name text, title text,
        description text, mime_type text, constraint_name text);
    create table gpkg_data_column_constraints (constraint_name text, constraint_type text, value text,
        min numeric, min_is_inclusive boolean, max numeric, max_is_inclusive boolean, description text);
    insert into gpkg_data_columns values ('GHDL', 'code', '用地代码', null, null, null, 'land');
    insert into gpkg_data_column_constraints values ('land', 'enum', '0001', null, null, null, null, '住宅');
"""


def test_aliases_and_codes_of_a_geopackage_are_read(delivery):
    connection = sqlite3.connect(delivery / "规划.gpkg")
    connection.executescript(SCHEMA)
    connection.close()
    fields = {field.name: field for field in open_source(delivery / "规划.gpkg", source_layer="GHDL").fields}
    assert (fields["code"].alias, fields["code"].codes) == ("用地代码", {"0001": "住宅"})
    assert fields["n"].alias is None
