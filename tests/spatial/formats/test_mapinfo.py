import pytest

from spatial.formats import UnreadableSource, WrongEncoding, open_source
from spatial.validity import Family


@pytest.fixture(params=["tab", "mif"])
def table(request, tmp_path, frame):
    path = tmp_path / f"地块.{request.param}"
    frame.to_file(path, driver="MapInfo File", ENCODING="CP936")
    return path


def names(source):
    return [row["名称"] for batch in source.batches() for row in batch.table.to_pylist()]


def rename_charset(path, charset):
    path.write_bytes(path.read_bytes().replace(b"WindowsSimpChinese", charset))
    return path


def test_chinese_tables_are_read(table):
    source = open_source(table)
    assert (source.encoding, source.encoding_sure, source.count) == ("gb18030", True, 2)
    assert (source.layer, source.family) == ("地块", Family.POLYGON)
    assert names(source) == ["深圳市福田区", "南山区"]
    assert source.bounds == pytest.approx((506_000, 2_494_000, 506_030, 2_494_010), abs=0.02)


@pytest.mark.parametrize("charset", [b"Neutral", b""])
def test_a_table_that_does_not_say_is_recognised(table, charset):
    source = open_source(rename_charset(table, charset))
    assert (source.encoding, source.encoding_sure) == ("gb18030", True)
    assert names(source) == ["深圳市福田区", "南山区"]


@pytest.mark.parametrize("charset", [b"WindowsLatin1", b"UTF-8"])
def test_a_wrong_character_set_is_held_with_samples(table, charset):
    source = open_source(rename_charset(table, charset))
    assert not source.encoding_sure
    assert any("深圳市福田区" in str(sample["rows"]) for sample in source.encoding_samples)
    assert names(open_source(table, encoding="gbk")) == ["深圳市福田区", "南山区"]
    with pytest.raises(WrongEncoding):
        open_source(table, encoding="utf-8")


def test_utf8_is_read(tmp_path, frame):
    path = tmp_path / "x.mif"
    frame.to_file(path, driver="MapInfo File", ENCODING="UTF-8")
    assert names(open_source(path)) == ["深圳市福田区", "南山区"]


def test_a_missing_part_is_named(table):
    other = table.with_suffix(".dat" if table.suffix == ".tab" else ".mid")
    other.unlink()
    with pytest.raises(UnreadableSource):
        for _ in open_source(table).batches():
            pass


def test_a_text_that_breaks_off_is_told(tmp_path, frame):
    path = tmp_path / "x.mif"
    frame.to_file(path, driver="MapInfo File")
    path.write_bytes(path.read_bytes().replace(b"506020 2494010", b"506020 \xff\xff"))
    with pytest.raises(UnreadableSource):
        for _ in open_source(path).batches():
            pass


def test_reading_leaves_the_folder_as_it_is(table):
    before = sorted(item.name for item in table.parent.iterdir())
    assert open_source(table).count == 2
    assert sorted(item.name for item in table.parent.iterdir()) == before
