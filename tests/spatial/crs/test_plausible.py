import pytest

from spatial.crs import contradiction, guess_crs
from spatial.numbers import BBox

SHENZHEN = BBox(113.7, 22.4, 114.7, 22.9)
PLAIN = BBox(505_955, 2_493_941, 506_500, 2_494_500)
ZONED = BBox(38_505_955, 2_493_941, 38_506_500, 2_494_500)
DEGREES = BBox(113.9, 22.5, 114.1, 22.6)
WEB = BBox(12_690_000, 2_570_000, 12_700_000, 2_580_000)


def swapped(box):
    return BBox(box.ymin, box.xmin, box.ymax, box.xmax)


@pytest.mark.parametrize(
    ("bounds", "first"),
    [
        (PLAIN, 4547),
        (ZONED, 4526),
        (DEGREES, 4490),
        (WEB, 3857),
        (swapped(PLAIN), 4547),
        (swapped(ZONED), 4526),
        (swapped(DEGREES), 4490),
    ],
)
def test_the_likeliest_code_comes_first_with_a_reason(bounds, first):
    guesses = guess_crs(bounds, SHENZHEN)
    assert guesses[0].srid == first
    assert guesses[0].why_zh
    straight = bounds in {PLAIN, ZONED, DEGREES, WEB}
    assert ("swapped" in guesses[0].why_en) is not straight


def test_degrees_leave_the_datum_open():
    assert [guess.srid for guess in guess_crs(DEGREES, SHENZHEN)] == [4490, 4326]


def test_numbers_of_a_local_grid_fit_nothing():
    assert guess_crs(BBox(10_000, 20_000, 90_000, 60_000), SHENZHEN) == []


@pytest.mark.parametrize(
    ("bounds", "srid", "kind", "fitting"),
    [
        (ZONED, 4547, "crs-contradicted", 4526),
        (PLAIN, 4526, "crs-contradicted", 4547),
        (DEGREES, 4547, "crs-contradicted", 4490),
        (DEGREES, 3857, "crs-contradicted", 4490),
        (ZONED, 4490, "crs-contradicted", 4526),
        (PLAIN, 4326, "crs-contradicted", None),
        (swapped(PLAIN), 4547, "axes-swapped", 4547),
        (swapped(DEGREES), 4490, "axes-swapped", 4490),
        (swapped(ZONED), 4526, "axes-swapped", 4526),
        (WEB, 4547, "crs-contradicted", None),
    ],
)
def test_contradictions(bounds, srid, kind, fitting):
    found = contradiction(bounds, srid)
    assert (found.kind, found.fitting) == (kind, fitting)
    assert found.why_zh
    assert found.why_en


@pytest.mark.parametrize(
    ("bounds", "srid"), [(PLAIN, 4547), (ZONED, 4526), (DEGREES, 4490), (DEGREES, 4326), (WEB, 3857)]
)
def test_no_contradiction(bounds, srid):
    assert contradiction(bounds, srid) is None


def test_infinite_bounds_say_nothing():
    assert contradiction(BBox(float("-inf"), 0, float("inf"), 1), 4547) is None
