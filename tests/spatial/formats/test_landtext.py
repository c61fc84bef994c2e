import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.formats.landtext import is_land_text, open_land_text
from spatial.formats.refusals import UnreadableSource

HEAD = """[属性描述]
格式版本号=1.01
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=38
精度=0.001
转换参数=,,,,,,
[地块坐标]
"""
PARCEL = """5,0.0100,01,一号地块,面,G-50-31,住宅用地,0701,@
J1,1,2494000.000,{zone}505000.000
J2,1,2494010.000,{zone}505000.000
J3,1,2494010.000,{zone}505010.000
J4,1,2494000.000,{zone}505010.000
J1,1,2494000.000,{zone}505000.000
"""


def opened(tmp_path, text, codec="gb18030"):
    path = tmp_path / "地块.txt"
    path.write_bytes(text.encode(codec))
    return open_land_text(path, "地块", None)


def features(source):
    return [
        (shape, row)
        for batch in source.batches(2)
        for shape, row in zip(batch.geometries, batch.table.to_pylist(), strict=True)
    ]


@pytest.mark.parametrize("codec", ["gb18030", "utf-8", "utf-8-sig"])
def test_a_parcel_with_its_facts(tmp_path, codec):
    source = opened(tmp_path, HEAD + PARCEL.format(zone="38"), codec)
    assert (source.srid, source.count, source.encoding_sure) == (4526, 1, True)
    shape, row = features(source)[0]
    assert shape.area == pytest.approx(100.0)
    assert shape.bounds == (38505000.0, 2494000.0, 38505010.0, 2494010.0)  # X is north, Y is east
    assert row == {
        "界址点数": 5, "地块面积": 0.01, "面积单位": "公顷", "地块编号": "01", "地块名称": "一号地块",
        "记录图形属性": "面", "图幅号": "G-50-31", "地块用途": "住宅用地", "地类编码": "0701",
    }  # fmt: skip
    assert source.notes == []


@pytest.mark.parametrize(
    ("change", "zone", "srid"),
    [
        (("", ""), "", 4547),
        (("带号=38", "带号=39"), "38", None),
        (("带号=38", ""), "38", 4526),
        (("带号=38", "中央经线=114"), "", 4547),
        (("带号=38", ""), "", None),
        (("几度分带=3", "几度分带=6"), "", None),
        (("2000国家大地坐标系", "1980西安坐标系"), "", 2383),
        (("2000国家大地坐标系", "1980西安坐标系"), "38", None),
        (("2000国家大地坐标系", "深圳独立坐标系"), "", None),
        (("高斯克吕格", "兰伯特"), "", None),
    ],
)
def test_the_system_is_what_heading_and_eastings_agree_on(tmp_path, change, zone, srid):
    source = opened(tmp_path, HEAD.replace(*change) + PARCEL.format(zone=zone))
    assert source.srid == srid
    assert (source.crs_note is None) == (srid is not None)


def test_holes_parts_and_a_wrong_count(tmp_path):
    hole = "J5,2,2494002,505002\nJ6,2,2494004,505002\nJ7,2,2494004,505004\n"
    part = "J8,3,2495002,505002\nJ9,3,2495004,505002\nJ10,3,2495004,505004\n"
    source = opened(tmp_path, HEAD + PARCEL.format(zone="") + hole + part)
    shape, _ = features(source)[0]
    assert shape.geom_type == "MultiPolygon"
    assert [len(one.interiors) for one in shape.geoms] == [1, 0]
    assert {found["code"] for found in source.notes} == {"ring-outside", "point-count"}


def test_full_width_commas_and_a_broken_number(tmp_path):
    broken = "J1,1,2494000,505000\nJ2,1,24940OO,505000\nJ3,1,2494010,505000\n"
    text = HEAD + PARCEL.format(zone="").replace(",", "，", 3) + "3,1,02,二,面,,,,@\n" + broken
    source = opened(tmp_path, text)
    assert [shape is None for shape, _ in features(source)] == [False, True]
    assert [found["code"] for found in source.notes] == ["bad-coordinates"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("计量单位=米", "计量单位=度", "metres"),
        ("J2,1,", "J2;1;", "neither"),
        (PARCEL.format(zone=""), "", "no parcel"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, old, new, told):
    with pytest.raises(UnreadableSource, match=told):
        opened(tmp_path, (HEAD + PARCEL.format(zone="")).replace(old, new))


def test_which_beginnings_are_such_a_text():
    assert is_land_text(HEAD.encode("gb18030"))
    assert is_land_text(HEAD.encode())
    assert not is_land_text(b"J1,1,2494000,505000")


NAMES = st.text(st.characters(codec="gb18030", categories=["Lo", "Nd", "Lu"]), min_size=1, max_size=12)
CODES = st.from_regex(r"\A[0-9]{1,19}\Z")
SQUARES = st.tuples(st.integers(0, 40_000_000), st.integers(0, 40_000_000), st.integers(2, 900_000))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CODES, NAMES, SQUARES), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["", "38"]),
)
def test_what_is_written_is_read(parcels, closed, zone):
    text, rings = HEAD, []
    for code, name, (east, north, side) in parcels:
        x, y = 480_000 + east / 1000, 2_480_000 + north / 1000
        ring = list(shapely.box(x, y, x + side / 1000, y + side / 1000).exterior.coords)
        rings.append(np.round(np.array(ring) + [38_000_000 if zone else 0, 0], 3))
        text += f"{len(ring)},0.1,{code},{name},面,,,0701,@\n"
        text += "".join(
            f"J{n},1,{y:.3f},{zone}{x:.3f}\n" for n, (x, y) in enumerate(ring if closed else ring[:-1], 1)
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.txt"
        path.write_bytes(text.encode())
        source = open_land_text(path, "p", "utf-8")
        found = features(source)
    assert source.srid == (4526 if zone else 4547)
    assert [(row["地块编号"], row["地块名称"]) for _, row in found] == [
        (code, name) for code, name, _ in parcels
    ]
    for (shape, _), ring in zip(found, rings, strict=True):
        assert np.allclose(shapely.get_coordinates(shape), ring, atol=1e-6)
