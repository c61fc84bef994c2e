"""The benchmark's data are what the targets are stated for."""

import numpy as np
import pytest
import shapely

from tests.benchmarks import parcels


@pytest.fixture(scope="module")
def few():
    return parcels.frame(1_200)


def test_parcels_have_eleven_points_and_are_valid(few):
    assert set(shapely.get_num_coordinates(few.geometry.array)) == {11}
    assert shapely.is_valid(few.geometry.array).all()


def test_parcels_cover_their_ground_without_gap_or_overlap(few):
    whole = shapely.union_all(few.geometry.array)

    assert len(whole.interiors) == 0
    assert shapely.area(few.geometry.array).sum() == pytest.approx(whole.area, rel=1e-9)


def test_the_same_seed_makes_the_same_parcels(few):
    again = parcels.frame(1_200)

    assert again.geometry.to_wkb().equals(few.geometry.to_wkb())
    assert again.drop(columns="geometry").equals(few.drop(columns="geometry"))
    assert not parcels.frame(1_200, seed=7).geometry.to_wkb().equals(few.geometry.to_wkb())


def test_a_full_city_has_480000_parcels():
    columns, rows = parcels.lattice(480_000)

    assert columns * rows == 480_000
    assert np.isclose(columns / rows, 4 / 3)
