import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from spatial.crs import transformation
from spatial.measure import (
    OpenRing,
    geodesic_area,
    geodesic_length,
    plane_area,
    plane_areas,
    plane_length,
    plane_lengths,
    ring_area,
)

ELLIPSOID = Geodesic(6_378_137.0, 1 / 298.257222101)
longitude, latitude = st.floats(100, 130), st.floats(-60, 60)


def independent(ring):
    polygon = ELLIPSOID.Polygon()
    for lon, lat in ring[:-1]:
        polygon.AddPoint(lat, lon)
    return polygon.Compute()[1:]


def kilometre_square():
    """A square of 1 km in EPSG:4547 around 114.9 E, and the same square in degrees."""
    east, north = transformation(4490, 4547).apply(np.array([[114.9, 22.55]]))[0]
    plane = shapely.box(east - 500, north - 500, east + 500, north + 500)
    to_degrees = transformation(4547, 4490)
    return plane, shapely.transform(plane, to_degrees.apply)


def test_the_square_of_the_handbook():
    plane, degrees = kilometre_square()
    assert plane_area(plane) == pytest.approx(1_000_000, abs=1e-3)
    assert plane_length(plane) == pytest.approx(4000)
    assert geodesic_area(degrees) == pytest.approx(999_788, abs=1)


@given(longitude, latitude, st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_area_and_length_agree_with_another_computation(west, south, wide, high):
    box = shapely.box(west, south, west + wide, south + high)
    perimeter, area = independent(shapely.get_coordinates(box))
    assert geodesic_area(box) == pytest.approx(abs(area), rel=1e-9)
    assert geodesic_length(box) == pytest.approx(perimeter, rel=1e-12)


@given(longitude, latitude)
def test_area_ignores_winding_order(west, south):
    ring = shapely.get_coordinates(shapely.box(west, south, west + 0.01, south + 0.01))
    assert ring_area(ring) == pytest.approx(ring_area(ring[::-1]))


def test_holes_come_off_and_parts_add_up():
    outer, inner = shapely.box(114, 22, 114.2, 22.2), shapely.box(114.05, 22.05, 114.1, 22.1)
    holed = outer.difference(inner)
    far = shapely.box(115, 22, 115.1, 22.1)
    assert geodesic_area(holed) == pytest.approx(geodesic_area(outer) - geodesic_area(inner))
    assert geodesic_area(shapely.MultiPolygon([holed, far])) == pytest.approx(
        geodesic_area(holed) + geodesic_area(far)
    )
    assert geodesic_length(holed) == pytest.approx(geodesic_length(outer) + geodesic_length(inner))


def test_lines_have_length_and_no_area():
    line = shapely.LineString([(114, 22), (114.1, 22), (114.1, 22.1)])
    legs = ELLIPSOID.Inverse(22, 114, 22, 114.1)["s12"] + ELLIPSOID.Inverse(22, 114.1, 22.1, 114.1)["s12"]
    assert geodesic_length(line) == pytest.approx(legs)
    assert geodesic_area(line) == 0
    assert geodesic_length(shapely.Point(114, 22)) == 0
    assert geodesic_area(shapely.from_wkt("POLYGON EMPTY")) == 0


def test_whole_arrays():
    geoms = np.array([shapely.box(0, 0, 2, 3), None], dtype=object)
    assert plane_areas(geoms)[0] == 6
    assert plane_lengths(geoms)[0] == 10
    assert np.isnan(plane_areas(geoms)[1])


def test_an_open_ring_is_refused():
    with pytest.raises(OpenRing) as refusal:
        ring_area(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    assert refusal.value.facts == {"points": 3}
