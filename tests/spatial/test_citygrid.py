import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.citygrid import CityGrid, TileOutside
from spatial.errors import Kind

SHENZHEN = CityGrid(4547, 400_000.0, 2_640_000.0, 293_601.28, 14)
level = st.integers(0, 13)


@given(level, st.floats(0, 0.999999), st.floats(0, 0.999999))
def test_the_tile_at_a_point_holds_the_point(z, right, down):
    px, py = 400_000 + right * 293_601.28, 2_640_000 - down * 293_601.28
    box = SHENZHEN.tile_bounds(z, *SHENZHEN.tile_at(z, px, py))
    assert box.xmin - 1e-6 <= px <= box.xmax + 1e-6
    assert box.ymin - 1e-6 <= py <= box.ymax + 1e-6


@given(st.integers(0, 12), st.data())
def test_four_children_fill_their_parent(z, data):
    x, y = data.draw(st.integers(0, 2**z - 1)), data.draw(st.integers(0, 2**z - 1))
    parent = SHENZHEN.tile_bounds(z, x, y)
    first, last = SHENZHEN.tile_bounds(z + 1, 2 * x, 2 * y), SHENZHEN.tile_bounds(z + 1, 2 * x + 1, 2 * y + 1)
    assert (first.xmin, first.ymax, last.xmax, last.ymin) == pytest.approx(
        (parent.xmin, parent.ymax, parent.xmax, parent.ymin), abs=1e-8
    )


def test_the_square_of_the_architecture():
    assert SHENZHEN.tile_bounds(0, 0, 0) == pytest.approx((400_000, 2_346_398.72, 693_601.28, 2_640_000))


@pytest.mark.parametrize(("z", "denominator"), [(0, 4_096_000), (11, 2000), (12, 1000), (13, 500)])
def test_statutory_scales_are_exact_levels(z, denominator):
    assert SHENZHEN.scale_denominator(z) == pytest.approx(denominator, rel=1e-12)
    assert SHENZHEN.level_for_scale(denominator) == z
    assert SHENZHEN.resolution(z) == pytest.approx(1146.88 / 2**z)


@pytest.mark.parametrize(("denominator", "z"), [(501, 13), (999, 13), (1001, 12), (1, 13), (1e9, 0)])
def test_between_two_levels_the_finer_is_taken(denominator, z):
    assert SHENZHEN.level_for_scale(denominator) == z


@pytest.mark.parametrize("tile", [(-1, 0, 0), (14, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1)])
def test_outside(tile):
    assert not SHENZHEN.contains(*tile)
    with pytest.raises(TileOutside) as refusal:
        SHENZHEN.tile_bounds(*tile)
    assert refusal.value.kind is Kind.NOT_FOUND


def test_a_point_outside_has_no_tile():
    with pytest.raises(TileOutside):
        SHENZHEN.tile_at(5, 399_999.0, 2_600_000.0)
    with pytest.raises(TileOutside):
        SHENZHEN.tile_at(14, 500_000.0, 2_600_000.0)
