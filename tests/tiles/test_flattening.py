"""A plane map stands for a projection only where the difference cannot be seen."""

import numpy as np
import pytest
import shapely
import shapely.affinity
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from spatial.crs import transformation
from tiles.flattening import TOLERANCE, plane_map
from tiles.queries import EXTENT, grids

MOVE = transformation(settings.ONEMAP_SRID, 3857, {})


def tile_at(z, east, north):
    """The Web Mercator tile over a place given in the storage CRS."""
    grid = grids()["WebMercatorQuad"]
    (x, y), world = MOVE.apply(np.array([[east, north]]))[0], grid.bounds(0, 0, 0)
    side = (world.xmax - world.xmin) / 2**z
    return grid.bounds(z, int((x - world.xmin) / side), int((world.ymax - y) / side))


@given(
    z=st.integers(14, 20),
    east=st.floats(430_000, 600_000),
    north=st.floats(2_450_000, 2_560_000),
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_within_its_tile_a_plane_map_is_the_projection(z, east, north, places):
    box = tile_at(z, east, north)
    unit = (box.xmax - box.xmin) / EXTENT
    plane = plane_map(box, 3857, unit)
    corner, size = np.array(box[:2]), np.array([box.xmax - box.xmin, box.ymax - box.ymin])
    exact = corner + size * np.array(places)
    here = transformation(3857, settings.ONEMAP_SRID, {}).apply(exact)

    assert plane is not None
    drawn = here @ np.array([[plane.a, plane.d], [plane.b, plane.e]]) + (plane.c, plane.f)
    assert np.abs(drawn - exact).max() <= 2 * TOLERANCE * unit


@pytest.mark.parametrize("z", range(1, 13))
def test_a_wide_tile_is_transformed_exactly(z):
    box = tile_at(z, 500_000, 2_500_000)

    assert plane_map(box, 3857, (box.xmax - box.xmin) / EXTENT) is None


def test_the_numbers_go_into_postgis_in_their_order():
    box = tile_at(16, 500_000, 2_500_000)
    plane = plane_map(box, 3857, (box.xmax - box.xmin) / EXTENT)
    middle = shapely.Point((box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2)
    back = transformation(3857, settings.ONEMAP_SRID, {}).apply(shapely.get_coordinates(middle))[0]

    found = shapely.affinity.affine_transform(
        shapely.Point(*back), [plane.a, plane.b, plane.d, plane.e, plane.c, plane.f]
    )

    assert found.distance(middle) < 0.01
