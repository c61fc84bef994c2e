import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.citygrid import CityGrid, TileOutside
from spatial.tilegrids import CGCS2000_QUAD, WEB_MERCATOR_QUAD, city_matrix_set, matrix_sets

GRID = CityGrid(4547, 400_000.0, 2_640_000.0, 293_601.28, 14)
SETS = list(matrix_sets(GRID).values())


def test_web_mercator_is_the_well_known_one():
    # OGC 17-083r4, annex D.1
    assert WEB_MERCATOR_QUAD.scale_denominator(0) == pytest.approx(559082264.0287178, rel=1e-12)
    assert WEB_MERCATOR_QUAD.resolution(0) == pytest.approx(156543.03392804097, rel=1e-12)
    assert WEB_MERCATOR_QUAD.bounds(1, 0, 0) == pytest.approx((-20037508.3427892, 0, 0, 20037508.3427892))


def test_cgcs2000_is_the_national_services_grid():
    # the "c" set of the national map service: level 1 is 2 x 1, denominators on pixels of 0.28 mm
    assert CGCS2000_QUAD.matrix_size(1) == (2, 1)
    assert CGCS2000_QUAD.matrix_size(18) == (262144, 131072)
    assert CGCS2000_QUAD.resolution(1) == 0.703125
    assert CGCS2000_QUAD.resolution(18) == 5.364418029785156e-6
    assert CGCS2000_QUAD.scale_denominator(1) == pytest.approx(279541132.0143237, rel=1e-9)
    assert CGCS2000_QUAD.bounds(1, 1, 0) == (0, -90, 180, 90)
    with pytest.raises(TileOutside):
        CGCS2000_QUAD.bounds(0, 0, 0)


@given(st.sampled_from(SETS), st.data())
def test_tiles_lie_inside_and_beside_each_other(matrix_set, data):
    z = data.draw(st.integers(matrix_set.min_level, matrix_set.max_level))
    columns, rows = matrix_set.matrix_size(z)
    x, y = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))
    box = matrix_set.bounds(z, x, y)
    side = matrix_set.resolution(z) * 256
    assert box.xmin == pytest.approx(matrix_set.left + x * side, rel=1e-12, abs=1e-6)
    assert box.ymax == pytest.approx(matrix_set.top - y * side, rel=1e-12, abs=1e-6)
    assert matrix_set.contains(z, x, y)
    assert not matrix_set.contains(z, columns, y)
    assert not matrix_set.contains(z, x, rows)


@pytest.mark.parametrize("z", range(14))
def test_the_city_grid_is_the_same_in_both_modules(z):
    last = 2**z - 1
    assert city_matrix_set(GRID).bounds(z, last, last) == pytest.approx(
        GRID.tile_bounds(z, last, last), abs=5e-10
    )
    assert city_matrix_set(GRID).scale_denominator(z) == pytest.approx(GRID.scale_denominator(z))


@pytest.mark.parametrize(
    ("identifier", "corner", "axes"),
    [
        ("WebMercatorQuad", [-20037508.342789244, 20037508.342789244], ["E", "N"]),
        ("CGCS2000Quad", [90.0, -180.0], ["Lat", "Lon"]),
        ("CityGrid", [2_640_000.0, 400_000.0], ["N", "E"]),
    ],
)
def test_json_writes_the_origin_in_the_systems_own_order(identifier, corner, axes):
    told = matrix_sets(GRID)[identifier].to_json()
    assert told["tileMatrices"][0]["pointOfOrigin"] == corner
    assert told["orderedAxes"] == axes
    assert told["tileMatrices"][0]["cornerOfOrigin"] == "topLeft"
    assert len(told["tileMatrices"]) == len(matrix_sets(GRID)[identifier].levels)
