import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.formats.refusals import ArchiveTooBig, NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.formats.workbook import open_workbook
from spatial.validity import Family


def written(tmp_path, rows, *, name="表.xlsx", more=(), shape=None):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "宗地"
    for row in rows:
        sheet.append(row)
    for title, others in more:
        other = book.create_sheet(title)
        for row in others:
            other.append(row)
    if shape is not None:
        shape(book, sheet)
    path = tmp_path / name
    book.save(path)
    return path


def values_of(source):
    return [row for batch in source.batches(2) for row in batch.table.to_pylist()]


def test_codes_dates_and_texts_are_what_the_cells_hold(tmp_path):
    def shape(book, sheet):
        sheet["E2"].number_format = "000000"

    head = ["编码", "面积", "日期", "时刻", "代码", "有效", "公式"]
    row = ["007", 12.5, date(2026, 5, 1), datetime(2026, 5, 1, 8, 30), 44, True, "=1+1"]
    path = written(
        tmp_path,
        [head, row, ["440304199912310012", 3, None, None, None, None, "深圳市福田区㐀𠮷〇"]],
        shape=shape,
    )
    source = open_workbook(path, "表", None)
    assert [one.type for one in source.fields] == [
        "text",
        "real",
        "date",
        "datetime",
        "text",
        "boolean",
        "text",
    ]
    first, second = values_of(source)
    assert (first["编码"], second["编码"]) == ("007", "440304199912310012")
    assert (first["日期"], first["时刻"]) == (date(2026, 5, 1), datetime(2026, 5, 1, 8, 30))
    assert (first["代码"], first["有效"]) == ("000044", True)
    assert first["公式"] is None  # never evaluated, and no result was stored
    assert second["公式"] == "深圳市福田区㐀𠮷〇"
    assert source.family is None


def test_title_rows_blank_rows_and_merged_cells_are_told(tmp_path):
    rows = [["2026 年度宗地表"], [], ["编码", "名称", None], ["1", "甲", "x"], [], ["2", "乙", None]]
    path = written(tmp_path, rows, shape=lambda book, sheet: sheet.merge_cells("A1:C1"))
    source = open_workbook(path, "表", None)
    assert [one.name for one in source.fields] == ["编码", "名称", "column_3"]
    assert {found["code"]: found["count"] for found in source.notes} == {
        "merged-cells": 1, "blank-rows": 2, "rows-above-header": 1, "no-geometry": 1,
    }  # fmt: skip
    assert [row["编码"] for row in values_of(source)] == ["1", "2"]


def test_1904_dates_and_the_day_zero(tmp_path):
    def shape(book, sheet):
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        sheet["A3"].value = 0
        sheet["A3"].number_format = "yyyy-mm-dd"

    path = written(tmp_path, [["日期", "名"], [date(2026, 5, 1), "a"], [None, "b"]], shape=shape)
    source = open_workbook(path, "表", None)
    found = [row["日期"] for row in values_of(source)]
    assert found[0] == date(2026, 5, 1)
    assert found[1] in {None, date(1904, 1, 1)}


def test_columns_of_coordinates_become_points(tmp_path):
    path = written(tmp_path, [["名称", "经度", "纬度"], ["甲", 114.05, "22.54"], ["乙", None, 1]])
    source = open_workbook(path, "表", None)
    assert source.family is Family.POINT
    shapes = [shape for batch in source.batches(10) for shape in batch.geometries]
    assert (shapes[0].x, shapes[0].y) == (114.05, 22.54)
    assert shapes[1] is None


def test_wkt_becomes_geometry(tmp_path):
    path = written(tmp_path, [["名称", "wkt"], ["甲", "SRID=4547;POINT (505000 2494000)"]])
    assert open_workbook(path, "表", None).srid == 4547


def test_sheets_are_layers(tmp_path):
    path = written(tmp_path, [["编码"], ["1"]], more=[("空表", []), ("权利人", [["姓名"], ["张"]])])
    with pytest.raises(SourceLayerMissing) as refusal:
        open_workbook(path, "表", None)
    assert refusal.value.facts["layers"] == ["宗地", "权利人"]
    assert values_of(open_workbook(path, "表", "权利人")) == [{"姓名": "张"}]


def repacked(path, tmp_path, change, extra=()):
    out = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(part, old.read(part)))
        for part, data in extra:
            new.writestr(part, data)
    return out


def test_macros_entities_bombs_and_wrecks_are_refused(tmp_path):
    path = written(tmp_path, [["编码"], ["1"]])
    with pytest.raises(NotAllowedFormat, match="macros"):
        open_workbook(
            repacked(path, tmp_path, lambda part, data: data, [("xl/vbaProject.bin", b"x")]), "表", None
        )
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'
    with pytest.raises(NotAllowedFormat, match="entities"):
        open_workbook(
            repacked(path, tmp_path, lambda part, data: entity if "sheet1" in part else data), "表", None
        )
    with pytest.raises(ArchiveTooBig):
        open_workbook(
            repacked(path, tmp_path, lambda part, data: data, [("xl/big.bin", bytes(60_000_000))]), "表", None
        )
    with pytest.raises(UnreadableSource):
        open_workbook(
            repacked(path, tmp_path, lambda part, data: b"<a/>" if "workbook.xml" in part else data),
            "表",
            None,
        )
    (tmp_path / "cut.xlsx").write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnreadableSource):
        open_workbook(tmp_path / "cut.xlsx", "表", None)


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
)
TEXTS = st.one_of(
    CELLS,
    st.from_regex(r"\A[0-9]{1,20}\Z"),
    st.sampled_from(["=1+1", "-1.5", "@x", "007", "深圳市福田区㐀𠮷〇"]),
)
WHOLE = st.integers(-(10**15) + 1, 10**15 - 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(TEXTS, st.none() | WHOLE, st.none() | st.dates(date(1901, 1, 1), date(2099, 12, 31))),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_written_is_read(rows):
    rows = [
        (text, number, day) for text, number, day in rows if text.strip() and not text.startswith("=")
    ] or [("a", 1, None)]
    book = openpyxl.Workbook()
    book.active.append(["编码", "数", "日期"])
    for row in rows:
        book.active.append(row)
        book.active.cell(book.active.max_row, 1).data_type = "s"
    held = io.BytesIO()
    book.save(held)
    path = _kept(held.getvalue())
    found = values_of(open_workbook(path, "表", None))
    path.unlink()
    width = len(found[0])
    assert [tuple(row.values()) for row in found] == [row[:width] for row in rows]


def _kept(data):
    import tempfile
    from pathlib import Path

    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        file.write(data)
    return Path(file.name)
