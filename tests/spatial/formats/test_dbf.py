from datetime import date

import pytest

from spatial.formats import UnreadableSource
from spatial.formats.dbf import DbfTable

FIELDS = [
    (b"ID", "N", 18, 0),
    (b"BIG", "N", 20, 0),
    (b"AREA", "N", 19, 11),
    (b"LEN", "F", 19, 11),
    (b"DAY", "D", 8, 0),
    (b"OK", "L", 1, 0),
    (b"NAME", "C", 20, 0),
]
ROW = [
    b"440304001002000012",
    b"12345678901234567890",
    b"12.5",
    b"1.5e+003",
    b"20260101",
    b"T",
    "福田".encode("gbk"),
]
VOID = [b" ", b"*" * 20, b"", b"", b"00000000", b"?", b""]


def test_types_and_nulls(dbf):
    notes = []
    fields, table = DbfTable(dbf(FIELDS, [[b" ", *ROW], [b" ", *VOID]]), "t").read("gb18030", notes)
    assert [field.type for field in fields] == ["integer", "text", "real", "real", "date", "boolean", "text"]
    assert table.to_pylist()[0] == {
        "ID": 440304001002000012,
        "BIG": "12345678901234567890",
        "AREA": 12.5,
        "LEN": 1500.0,
        "DAY": date(2026, 1, 1),
        "OK": True,
        "NAME": "福田",
    }
    assert set(table.to_pylist()[1].values()) == {None}
    assert notes == []


@pytest.mark.parametrize("day", [b"20230230", b"20230101x"[:8][::-1], b"Infinity", b"2023-1-1"])
def test_a_day_that_does_not_exist_is_null_and_told(dbf, day):
    notes = []
    _, table = DbfTable(dbf([(b"DAY", "D", 8, 0)], [[b" ", day]]), "t").read("utf-8", notes)
    assert table.to_pylist() == [{"DAY": None}]
    assert notes[0]["code"] == "bad-dates"


def test_a_field_name_cut_inside_a_character(dbf):
    notes = []
    table = DbfTable(dbf([("土地用途类型".encode()[:10], "C", 4, 0)], []), "t")
    assert table.names("utf-8", notes) == ["土地用"]
    assert notes[0]["code"] == "field-name-cut"


def test_equal_field_names_get_a_number(dbf):
    table = DbfTable(dbf([(b"A", "C", 4, 0), (b"A", "C", 4, 0)], [[b" ", b"1", b"2"]]), "t")
    assert table.names("utf-8", []) == ["A", "A_2"]


def test_samples_show_every_candidate(dbf):
    table = DbfTable(dbf([(b"NAME", "C", 20, 0)], [[b" ", "福田".encode("gbk")], [b" ", b"plain"]]), "t")
    samples = {sample["encoding"]: sample["rows"] for sample in table.samples()}
    assert samples["gb18030"] == [{"NAME": "福田"}]
    assert "\ufffd" in samples["utf-8"][0]["NAME"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:20],
        lambda data: data[:-30],
        lambda data: data[:4] + b"\xff\xff\xff\x7f" + data[8:],
        lambda data: data[:10] + b"\x02\x00" + data[12:],
    ],
)
def test_a_lying_or_cut_table_is_refused(dbf, damage):
    path = dbf(FIELDS, [[b" ", *ROW]])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableSource) as refusal:
        DbfTable(path, "parcels")
    assert refusal.value.facts["name"] == "parcels"
