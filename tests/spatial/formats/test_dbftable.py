import pytest

from spatial.formats import UnreadableSource, open_source

FIELDS = [(b"BSM", "C", 18, 0), ("名称".encode("gbk"), "C", 20, 0), (b"MJ", "N", 15, 2)]
ROWS = [
    [b" ", b"440304001002000012", "福田区".encode("gbk"), b"12.50"],
    [b"*", b"440304001002000013", "罗湖区".encode("gbk"), b"1"],
    [b" ", b"000000000000000014", "南山区".encode("gbk"), b""],
]


def test_a_table_by_itself_has_rows_and_no_geometry(dbf):
    source = open_source(dbf(FIELDS, ROWS))
    assert (source.driver, source.family, source.bounds, source.srid, source.count) == (
        "DBF",
        None,
        None,
        None,
        2,
    )
    assert (source.encoding, source.encoding_sure) == ("gb18030", True)
    assert [row for batch in source.batches(1) for row in batch.table.to_pylist()] == [
        {"BSM": "440304001002000012", "名称": "福田区", "MJ": 12.5},
        {"BSM": "000000000000000014", "名称": "南山区", "MJ": None},
    ]
    assert [(batch.start, batch.geometries.tolist()) for batch in source.batches(1)] == [
        (0, [None]),
        (1, [None]),
    ]
    assert {note["code"] for note in source.notes} == {"deleted-records", "no-geometry"}


def test_a_codepage_beside_it_counts(dbf):
    path = dbf(FIELDS, ROWS)
    path.with_suffix(".cpg").write_text("UTF-8")
    source = open_source(path)
    assert not source.encoding_sure
    assert "福田区" in str(source.encoding_samples)
    assert open_source(path, encoding="gbk").encoding_sure


def test_a_folder_of_one_table(dbf):
    assert open_source(dbf(FIELDS, ROWS).parent).count == 2


def test_a_cut_table_is_refused(dbf):
    path = dbf(FIELDS, ROWS)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UnreadableSource):
        open_source(path)
