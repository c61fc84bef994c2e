import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.formats.corners import is_corner_list, open_corners
from spatial.formats.refusals import UnreadableSource

RING = [(2494000.0, 505000.0), (2494010.0, 505000.0), (2494010.0, 505010.0)]


def lines(ring, form):
    return "".join(form.format(n=n, a=a, b=b) + "\n" for n, (a, b) in enumerate(ring, 1))


def opened(tmp_path, text, codec="utf-8"):
    path = tmp_path / "界址点.txt"
    path.write_bytes(text.encode(codec))
    return open_corners(path, "界址点", None)


@pytest.mark.parametrize(
    "form",
    ["J{n},{a},{b}", "{a},{b}", "{n} {a} {b}", "{n}\t{a}\t{b}", "J{n}，{a}，{b}", "界址点{n} {a}, {b}"],
)
def test_the_forms_of_a_point(tmp_path, form):
    text = lines(RING, form)
    assert is_corner_list(text.encode())
    assert is_corner_list(text.encode("gb18030"))
    source = opened(tmp_path, text)
    shape = next(source.batches()).geometries[0]
    assert shape.bounds == (505000.0, 2494000.0, 505010.0, 2494010.0)
    assert [found["code"] for found in source.notes] == ["north-first"]
    assert source.srid is None


@pytest.mark.parametrize("ring", [[(b, a) for a, b in RING], [(114.1, 22.5), (114.2, 22.5), (114.2, 22.6)]])
def test_east_first_is_seen_and_told(tmp_path, ring):
    source = opened(tmp_path, lines(ring, "{a},{b}"))
    assert [found["code"] for found in source.notes] == ["east-first"]
    assert next(source.batches()).geometries[0].exterior.coords[0] == ring[0]


def test_blocks_are_parted_by_blank_lines_and_names(tmp_path):
    text = f"一号地\n{lines(RING, 'J{n},{a},{b}')}\n{lines(RING, 'J{n},{a},{b}')}三号地\n{lines(RING, '{a} {b}')}"
    assert is_corner_list(text.encode("gb18030"))
    source = opened(tmp_path, text, "gb18030")
    table = next(source.batches()).table.to_pylist()
    assert table == [{"地块名称": name, "界址点数": 3} for name in ("一号地", None, "三号地")]


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n505000.1,2494000.1\n505000.1,2494000.1\n505000.1,2494000.1\n",
        "点号,X,Y\nJ1,2494000,505000\nJ2,2494000,505000\nJ3,2494000,505000\n",
        "X Y\n2494000 505000\n2494000 505000\n2494000 505000\n",
        "名称\n甲\n乙\n",
        "1,2\n3,4\n5,6\n",
        "2494000,505000\n2494000,505000\n",
        "编码,名称\n1,甲\n",
        '{"type": "FeatureCollection"}',
        "",
    ],
)
def test_other_texts_are_none(text):
    assert not is_corner_list(text.encode())


def test_a_line_that_is_nothing_is_named(tmp_path):
    with pytest.raises(UnreadableSource, match="line 4"):
        opened(tmp_path, lines(RING, "{a},{b}") + "a,b,c,d\n")


POINTS = st.tuples(st.integers(0, 50_000_000), st.integers(0, 50_000_000))
RINGS = st.lists(st.lists(POINTS, min_size=3, max_size=8, unique=True), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    RINGS,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["J{n},{a:.3f},{b:.3f}", "{a:.3f} {b:.3f}", "{n}\t{a:.3f}\t{b:.3f}"]),
)
def test_what_is_written_is_read(rings, north_first, zone, form):
    rings = [[(480_000 + x / 1000 + 38e6 * zone, 2_480_000 + y / 1000) for x, y in ring] for ring in rings]
    turned = [[(y, x) if north_first else (x, y) for x, y in ring] for ring in rings]
    text = "\n".join(lines(ring, form) for ring in turned)
    assert is_corner_list(text.encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.txt"
        path.write_text(text, encoding="utf-8")
        found = [shape for batch in open_corners(path, "c", None).batches() for shape in batch.geometries]
    assert len(found) == len(rings)
    for shape, ring in zip(found, rings, strict=True):
        assert np.allclose(shapely.get_coordinates(shape)[: len(ring)], ring, atol=1e-3)
