import shutil

import pytest

from spatial.crs import ObfuscatedDatum
from spatial.formats import UnreadableSource, WrongEncoding, open_source
from spatial.validity import Family


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def test_gbk_is_right_without_being_told(gbk_shapefile):
    source = open_source(gbk_shapefile)
    assert (source.encoding, source.encoding_sure, source.srid) == ("gb18030", True, 4547)
    assert (source.layer, source.family, source.count) == ("地块", Family.POLYGON, 2)
    assert rows(source)[0] == {"名称": "深圳市福田区", "code": "0001", "n": 1}


def test_a_wrong_cpg_is_held_with_samples(gbk_shapefile):
    gbk_shapefile.with_suffix(".cpg").write_text("UTF-8")
    source = open_source(gbk_shapefile)
    assert not source.encoding_sure
    assert source.notes[0]["code"] == "cpg-contradicted"
    assert {
        "encoding": "gb18030",
        "rows": [{"名称": "深圳市福田区", "code": "0001"}, {"名称": "南山区", "code": "0002"}],
    } in source.encoding_samples
    assert open_source(gbk_shapefile, encoding="gbk").encoding_sure
    with pytest.raises(WrongEncoding):
        open_source(gbk_shapefile, encoding="utf-8")


@pytest.mark.parametrize("text", ["", "EPSG:4547", "http://127.0.0.1:9/x", "/etc/passwd", "x" * 50_000])
def test_a_prj_that_is_no_wkt_leaves_the_system_open(gbk_shapefile, text):
    gbk_shapefile.with_suffix(".prj").write_text(text)
    source = open_source(gbk_shapefile)
    assert source.srid is None
    assert source.crs_note


def test_no_prj_leaves_the_system_open(gbk_shapefile):
    gbk_shapefile.with_suffix(".prj").unlink()
    assert open_source(gbk_shapefile).srid is None


def test_a_declared_shifted_datum_is_refused(gbk_shapefile):
    gbk_shapefile.with_suffix(".prj").write_text('GEOGCS["GCJ-02",DATUM["x"]]')
    with pytest.raises(ObfuscatedDatum):
        open_source(gbk_shapefile)


@pytest.mark.parametrize("suffix", [".shx", ".shp", ".dbf"])
def test_a_part_that_is_cut_off_is_named(gbk_shapefile, suffix):
    part = gbk_shapefile.with_suffix(suffix)
    part.write_bytes(part.read_bytes()[:-30])
    with pytest.raises(UnreadableSource) as refusal:
        open_source(gbk_shapefile)
    assert refusal.value.text("zh").startswith("地块")


def test_a_missing_shx_is_named(gbk_shapefile):
    gbk_shapefile.with_suffix(".shx").unlink()
    with pytest.raises(UnreadableSource, match="shx"):
        open_source(gbk_shapefile)


def test_without_dbf_there_are_shapes_without_attributes(gbk_shapefile):
    gbk_shapefile.with_suffix(".dbf").unlink()
    source = open_source(gbk_shapefile)
    assert (source.fields, source.count) == ((), 2)
    assert sum(len(batch.geometries) for batch in source.batches()) == 2


def test_records_marked_deleted_are_left_out(gbk_shapefile):
    path = gbk_shapefile.with_suffix(".dbf")
    data = bytearray(path.read_bytes())
    data[int.from_bytes(data[8:10], "little")] = ord("*")
    path.write_bytes(data)
    source = open_source(gbk_shapefile)
    assert source.count == 1
    assert [row["code"] for row in rows(source)] == ["0002"]
    assert "deleted-records" in {note["code"] for note in source.notes}


def test_suffixes_in_capitals(gbk_shapefile, tmp_path):
    folder = tmp_path / "capital"
    folder.mkdir()
    for part in gbk_shapefile.parent.glob("地块.*"):
        shutil.copy(part, folder / f"X{part.suffix.upper()}")
    assert rows(open_source(folder / "X.SHP"))[1]["名称"] == "南山区"
    assert open_source(folder).count == 2


def test_batches_can_be_read_twice_in_any_size(gbk_shapefile):
    source = open_source(gbk_shapefile)
    first, second = [batch.start for batch in source.batches(1)], [batch.start for batch in source.batches(1)]
    assert first == second == [0, 1]
