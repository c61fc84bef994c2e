"""A raster is judged by its header alone: what passes can be stored, what does not is named."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import OnemapError
from spatial.rasterheader import (
    DTYPES,
    FLOAT_NODATA,
    HARMLESS_BYTES,
    MOST_BANDS,
    MOST_BYTES,
    MOST_CELLS,
    RasterHeader,
    RasterTooLarge,
    RasterUnfit,
    integer_range,
    is_tiff,
    judge_cell,
    judge_header,
    resampling_of,
    stored_nodata,
)

GOOD = RasterHeader(900, 700, 1, ("float32",), (5.0, 0.0, 500_000.0, 0.0, -5.0, 2_500_000.0), srid=4547)
SIZE = 3_000_000
number = st.floats() | st.integers(-(10**12), 10**12).map(float)
headers = st.builds(
    lambda columns, rows, dtypes, transform, nodata, block: RasterHeader(
        columns, rows, len(dtypes), tuple(dtypes), transform, nodata=nodata, block=block
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.sampled_from([*DTYPES, "complex64", "float16", ""]), min_size=1, max_size=20),
    st.none() | st.tuples(*[number] * 6),
    st.none() | number,
    st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)),
)


@pytest.mark.parametrize(
    ("head", "tiff"),
    [
        (b"II*\x00\x08\x00", True),
        (b"MM\x00*", True),
        (b"II+\x00", True),
        (b"MM\x00+", True),
        (b"%PDF-1.7", False),
        (b"\x00\x00\x00\x0cjP  ", False),
        (b"<VRTDataset", False),
        (b"II", False),
        (b"", False),
    ],
)
def test_a_tiff_is_told_by_its_first_bytes(head, tiff):
    assert is_tiff(head) is tiff


@given(headers, st.integers(0, 10**10))
def test_what_passes_is_small_straight_and_storable(header, size):
    try:
        judge_header(header, size)
        judge_cell(header, geographic=False)
    except OnemapError as refusal:
        assert refusal.code in {"raster-too-large", "raster-unfit"}
        assert refusal.text("zh")
        return
    a, b, _, d, e, _ = header.transform
    assert a > 0 > e
    assert abs(b) * header.rows <= 0.01 * a
    assert abs(d) * header.columns <= -0.01 * e
    assert 1 <= header.columns * header.rows <= MOST_CELLS
    assert header.bands <= MOST_BANDS
    assert header.expanded_bytes <= MOST_BYTES
    assert all(math.isfinite(side) for side in header.bounds)
    assert header.bounds.xmin < header.bounds.xmax


@given(headers)
def test_the_stored_mark_for_no_value_fits_the_cells(header):
    if header.dtype not in DTYPES:
        return
    mark = stored_nodata(header)
    if header.floating:
        assert math.isfinite(mark)
    elif mark is not None:
        low, high = integer_range(header.dtype)
        assert low <= mark <= high
        assert mark == header.nodata


@given(headers.filter(lambda header: header.nodata is None or header.nodata == header.nodata))
def test_a_header_survives_the_way_between_processes(header):
    told = json.loads(json.dumps(header.to_json()))
    if header.transform is None or not any(math.isnan(part) for part in header.transform):
        assert RasterHeader.from_json(told) == header


@pytest.mark.parametrize(
    ("change", "refusal", "fault"),
    [
        ({"columns": 200_000, "rows": 200_000}, RasterTooLarge, None),
        ({"bands": 17, "dtypes": ("uint8",) * 17}, RasterTooLarge, None),
        ({"bands": 65_535, "dtypes": ("uint8",) * 65_535}, RasterTooLarge, None),
        ({"columns": 60_000, "rows": 60_000}, RasterTooLarge, None),  # swells 4,800 times
        ({"block": (20_000, 20_000)}, RasterTooLarge, None),
        ({"columns": 0}, RasterUnfit, "empty"),
        ({"dtypes": ("complex64",)}, RasterUnfit, "dtype"),
        ({"bands": 2, "dtypes": ("uint8", "uint16")}, RasterUnfit, "dtype"),
        ({"transform": None}, RasterUnfit, "no-georeference"),
        ({"transform": (5.0, 0.0, math.nan, 0.0, -5.0, 1.0)}, RasterUnfit, "no-georeference"),
        ({"transform": (5.0, 0.1, 0.0, 0.1, -5.0, 0.0)}, RasterUnfit, "rotated"),
        ({"transform": (5.0, 0.0, 0.0, 0.0, 5.0, 0.0)}, RasterUnfit, "rotated"),
    ],
)
def test_each_fault_has_its_name(change, refusal, fault):
    with pytest.raises(refusal) as caught:
        judge_header(replace(GOOD, **change), SIZE)
    assert caught.value.facts.get("fault") == fault


def test_a_good_header_passes_and_a_small_file_may_swell_harmlessly():
    judge_header(GOOD, SIZE)
    assert GOOD.expanded_bytes < HARMLESS_BYTES
    judge_header(GOOD, 1)
    assert GOOD.bounds == (500_000, 2_496_500, 504_500, 2_500_000)


@pytest.mark.parametrize(
    ("wide", "high", "geographic", "good"),
    [
        (5, 5, False, True),
        (0.004, 0.004, False, False),
        (5_001, 5_001, False, False),
        (1, 11, False, False),
        (0.0001, 0.0001, True, True),
        (0.1, 0.1, True, False),
        (1e-8, 1e-8, True, False),
    ],
)
def test_cells_have_a_sane_size(wide, high, geographic, good):
    header = replace(GOOD, transform=(float(wide), 0.0, 114.0, 0.0, -float(high), 22.0))
    if good:
        judge_cell(header, geographic=geographic)
        assert header.transform[0] == wide
    else:
        with pytest.raises(RasterUnfit) as caught:
            judge_cell(header, geographic=geographic)
        assert caught.value.facts["fault"] == "cell"


@pytest.mark.parametrize(
    ("change", "way"),
    [
        ({}, "bilinear"),
        ({"dtypes": ("int16",)}, "nearest"),
        ({"dtypes": ("uint8",), "palette": True}, "nearest"),
        ({"bands": 3, "dtypes": ("uint8",) * 3}, "cubic"),
        ({"bands": 4, "dtypes": ("uint8",) * 4, "alpha": True}, "cubic"),
        ({"bands": 3, "dtypes": ("int32",) * 3}, "nearest"),
    ],
)
def test_measures_are_mixed_and_codes_are_not(change, way):
    assert resampling_of(replace(GOOD, **change)) == way


@pytest.mark.parametrize(
    ("dtype", "given_mark", "mark"),
    [
        ("float32", None, FLOAT_NODATA),
        ("float32", math.nan, FLOAT_NODATA),
        ("float32", 1e300, FLOAT_NODATA),
        ("float32", -9999.0, -9999.0),
        ("uint8", -9999.0, None),
        ("uint8", 255.0, 255.0),
        ("int16", -32768.0, -32768.0),
        ("int16", 0.5, None),
        ("int16", math.inf, None),
    ],
)
def test_a_mark_that_cells_cannot_hold_is_none(dtype, given_mark, mark):
    assert stored_nodata(replace(GOOD, dtypes=(dtype,), nodata=given_mark)) == mark
