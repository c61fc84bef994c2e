import shutil
import zipfile

import pyogrio
import pytest

from spatial.formats import NotAllowedFormat, SourceLayerMissing, UnreadableSource, open_source
from spatial.formats.filegdb import MEMBER
from spatial.validity import Family


@pytest.fixture
def database(tmp_path, frame):
    path = tmp_path / "调查.gdb"
    frame.to_file(path, driver="OpenFileGDB", layer="地块")
    pyogrio.write_dataframe(
        frame.drop(columns="geometry"), path, driver="OpenFileGDB", layer="表", append=True
    )
    return path


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def test_a_feature_class_and_a_table_are_read(database):
    source = open_source(database, source_layer="地块")
    assert (source.driver, source.srid, source.family, source.layers) == (
        "OpenFileGDB",
        4547,
        Family.POLYGON,
        ["地块", "表"],
    )
    assert rows(source)[0]["名称"] == "深圳市福田区"
    table = open_source(database, source_layer="表")
    assert (table.family, table.bounds, table.count) == (None, None, 2)
    assert rows(table)[1]["code"] == "0002"


def test_several_layers_need_a_choice(database):
    with pytest.raises(SourceLayerMissing) as refusal:
        open_source(database)
    assert refusal.value.facts["layers"] == ["地块", "表"]


@pytest.mark.parametrize("place", ["{name}", "目录/{name}"])
def test_a_zip_may_hold_one(database, tmp_path, place):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for item in database.iterdir():
            archive.write(item, f"{place.format(name=database.name)}/{item.name}")
    assert rows(open_source(path, source_layer="地块"))[1]["名称"] == "南山区"


def test_reading_changes_nothing_and_foreign_files_are_not_seen(database):
    (database / "a00000099.gdbtable.exe").write_bytes(b"MZ")
    before = {item.name: item.read_bytes() for item in database.iterdir()}
    assert open_source(database, source_layer="地块").count == 2
    assert {item.name: item.read_bytes() for item in database.iterdir()} == before


def test_every_file_the_driver_writes_is_one_the_format_knows(database):
    assert all(MEMBER.fullmatch(item.name) for item in database.iterdir())


def test_broken_ones_are_refused(database, tmp_path):
    other = tmp_path / "empty.gdb"
    other.mkdir()
    (other / "gdb").write_bytes(b"")
    with pytest.raises(NotAllowedFormat):
        open_source(other)
    shutil.copytree(database, tmp_path / "cut.gdb")
    for item in (tmp_path / "cut.gdb").iterdir():
        item.write_bytes(item.read_bytes()[:50])
    with pytest.raises(UnreadableSource):
        open_source(tmp_path / "cut.gdb")


def test_a_link_inside_is_refused(database):
    (database / "a000000ff.gdbtable").symlink_to("/etc/passwd")
    with pytest.raises(NotAllowedFormat):
        open_source(database)
