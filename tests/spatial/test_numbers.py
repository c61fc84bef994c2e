import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import Kind
from spatial.numbers import BadBBox, BadNumber, BBox, parse_bbox, parse_integer, parse_number, shown

finite = st.floats(min_value=-1e9, max_value=1e9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1_0",
        "１２",
        "1,5",
        " 1",
        "1 ",
        "0x10",
        "1e400",
        "--1",
        "1e",
        ".",
        "1" * 65,
        "٣",
    ],
)
def test_what_python_takes_and_we_do_not(text):
    with pytest.raises(BadNumber) as refusal:
        parse_number(text, name="width")
    assert refusal.value.kind is Kind.INVALID
    assert refusal.value.facts["name"] == "width"


@given(finite)
def test_every_finite_number_comes_back(value):
    assert parse_number(repr(value)) == value


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_refused(text):
    try:
        value = parse_number(text)
    except BadNumber:
        return
    assert math.isfinite(value)
    assert text.isascii()


def test_minus_zero_is_zero():
    assert math.copysign(1.0, parse_number("-0.0")) == 1.0


@pytest.mark.parametrize(("text", "taken"), [("1", True), ("10", True), ("0.999", False), ("10.01", False)])
def test_the_range_includes_its_ends(text, taken):
    if taken:
        assert 1 <= parse_number(text, low=1, high=10) <= 10
    else:
        with pytest.raises(BadNumber):
            parse_number(text, low=1, high=10)


@pytest.mark.parametrize("text", ["", "1.0", "1e1", "0x1", "１", "9" * 20, "1 OR 1=1", "layer.1'", "+"])
def test_no_whole_number(text):
    with pytest.raises(BadNumber):
        parse_integer(text, name="fid", low=1)


@given(st.integers(min_value=-(10**19) + 1, max_value=10**19 - 1))
def test_every_whole_number_of_nineteen_digits_comes_back(value):
    assert parse_integer(str(value)) == value


def test_a_whole_number_outside_its_range_is_refused():
    with pytest.raises(BadNumber):
        parse_integer("0", name="limit", low=1, high=10_000)


@given(finite, finite, finite, finite)
def test_a_box_is_taken_exactly_when_it_is_the_right_way_round(a, b, c, d):
    text = f"{a!r},{b!r},{c!r},{d!r}"
    if a <= c and b <= d:
        assert parse_bbox(text) == BBox(a, b, c, d)
    else:
        with pytest.raises(BadBBox):
            parse_bbox(text)


@given(st.text(alphabet="0123456789,.-+einfa １", max_size=40))
def test_any_text_is_a_finite_box_or_refused(text):
    try:
        box = parse_bbox(text)
    except BadBBox:
        return
    assert all(math.isfinite(value) for value in box)


def test_six_numbers_lose_their_heights():
    assert parse_bbox("113,22,-5,114,23,900") == BBox(113, 22, 114, 23)


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,4,EPSG:4326",
        "nan,0,1,1",
        "1e308,0,1e308,1",
        "1;2;3;4",
        "1,2,9,3,4,5",
        "0,1,1,0",
        "",
    ],
)
def test_no_box(text):
    with pytest.raises(BadBBox) as refusal:
        parse_bbox(text)
    assert refusal.value.code == "bad-bbox"


def test_a_box_across_the_antimeridian_is_kept_where_degrees_are_meant():
    assert parse_bbox("179.9,-1,-179.9,1", wrap=True).xmin == 179.9
    with pytest.raises(BadBBox):
        parse_bbox("0,1,1,0", wrap=True)


def test_refusals_show_no_control_characters():
    assert shown("a\r\n\x1b[0m") == "a\\u000d\\u000a\\u001b[0m"
