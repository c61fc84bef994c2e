"""Planted faults are found exactly, noise is not, and the sums of areas come out (by another way of reckoning)."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spatial import topology
from spatial.pieces import is_sliver, is_wide
from spatial.topology import partition_faults

EAST, NORTH = 500_000.0, 2_490_000.0
GROUND = shapely.box(EAST, NORTH, EAST + 1000, NORTH + 1000)


def box(x0, y0, x1, y1):
    """A box by metres from the corner of the ground."""
    return shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


def squares(count=10, side=100.0):
    """The ground cut into squares, row by row from the south west."""
    return np.array(
        [
            box(side * column, side * row, side * column + side, side * row + side)
            for row in range(count)
            for column in range(count)
        ],
        dtype=object,
    )


def cut(seed, count=60):
    """The ground cut into the Voronoi cells of random points, in the order of the points."""
    places = np.random.default_rng(seed).random((count, 2)) * 1000 + [EAST, NORTH]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(places), extend_to=GROUND))
    return shapely.intersection(cells, GROUND)


def told(faults):
    return sorted((one.kind, one.members, round(one.area_m2, 3)) for one in faults)


def area_of(faults, *kinds):
    return sum(one.area_m2 for one in faults if one.of in kinds)


@pytest.fixture(params=["one cell", "many cells", "many cells of large polygons"])
def cells(request, monkeypatch):
    """However the ground is divided for the search, and whatever counts as large, the answer is the same."""
    monkeypatch.setattr(topology, "CELL", 4_000 if request.param == "one cell" else 7)
    monkeypatch.setattr(topology, "LARGE", 4 if "large" in request.param else 2_000)
    return request.param


def test_a_partition_has_no_fault(cells):
    assert partition_faults(squares(), GROUND) == []
    assert partition_faults(squares()) == []


def test_planted_faults_are_found_exactly(cells):
    shapes = squares()
    shapes[12] = box(200, 100, 304, 200)  # 4 m over its neighbour 13
    shapes[55] = None  # a square of 100 m missing
    shapes[9] = box(900, 0, 1007, 100)  # 7 m over the boundary
    shapes[80] = box(0, 800, 100, 890)  # leaves 10 m to its neighbour 90
    found = partition_faults(shapes, GROUND)
    assert told(found) == [
        ("gap", (44, 45, 46, 54, 56, 64, 65, 66), 10_000.0),
        ("gap", (80, 81, 90, 91), 1_000.0),
        ("outside", (9,), 700.0),
        ("overlap", (12, 13), 400.0),
    ]
    overlap, outside, *gaps = sorted(found, key=lambda one: one.area_m2)
    assert overlap.geometry.equals(box(300, 100, 304, 200))
    assert outside.geometry.equals(box(1000, 0, 1007, 100))
    assert gaps[0].geometry.symmetric_difference(box(0, 890, 100, 900)).area < 1e-3
    assert gaps[1].geometry.symmetric_difference(box(500, 500, 600, 600)).area < 1e-3


def test_without_a_boundary_a_gap_is_a_hole_of_the_union(cells):
    shapes = squares()
    shapes[55] = None
    shapes[99] = None  # a corner: open to the outside, no hole
    assert told(partition_faults(shapes)) == [("gap", (44, 45, 46, 54, 56, 64, 65, 66), 10_000.0)]


def test_a_gap_across_many_cells_is_one_fault(cells):
    shapes = np.array([box(0, 0, 1000, 480), box(0, 500, 1000, 1000), *squares(40, 25.0)[:1]], dtype=object)
    shapes[2] = None
    assert told(partition_faults(shapes, GROUND)) == [("gap", (0, 1), 20_000.0)]


def test_nothing_where_all_should_be_covered_is_one_gap():
    assert told(partition_faults(np.array([None], dtype=object), GROUND)) == [("gap", (), 1_000_000.0)]
    assert partition_faults(np.array([], dtype=object)) == []


def test_a_copy_and_a_second_subdivision_overlap(cells):
    assert told(partition_faults(np.array([*squares(2, 500.0), box(0, 0, 500, 500)]), GROUND)) == [
        ("overlap", (0, 4), 250_000.0)
    ]
    twice = np.array([*squares(2, 500.0), *squares(4, 250.0)], dtype=object)
    faults = partition_faults(twice, GROUND)
    assert {one.kind for one in faults} == {"overlap"}
    assert sum(one.area_m2 for one in faults) == pytest.approx(1_000_000.0)


@pytest.mark.parametrize(
    ("width", "kinds"), [(0.0099, []), (0.0101, ["sliver"]), (0.9, ["sliver"]), (1.2, ["overlap"])]
)
def test_what_is_narrower_than_the_tolerance_is_noise(cells, width, kinds):
    shapes = squares()
    shapes[12] = box(200, 100, 300 + width, 200)
    faults = partition_faults(shapes, GROUND, tolerance_m=0.01, sliver_m2=1.0)
    assert [one.kind for one in faults] == kinds
    assert all(one.of == "overlap" and one.members == (12, 13) for one in faults)


def test_a_vertex_that_a_neighbour_lacks_is_no_fault(cells):
    left = shapely.Polygon([*box(0, 0, 500, 1000).exterior.coords])
    bent = shapely.Point(EAST + 500.0004, NORTH + 333.3)
    right = shapely.Polygon([(EAST + 500, NORTH), (EAST + 1000, NORTH), (EAST + 1000, NORTH + 1000),
                             (EAST + 500, NORTH + 1000), (bent.x, bent.y)])  # fmt: skip
    assert partition_faults(np.array([left, right]), GROUND) == []


def test_slivers_among_the_polygons_are_named_and_roads_are_not():
    road, sliver, crumb = box(0, 0, 1000, 8), box(0, 8, 1000, 8.3), box(0, 8.3, 0.5, 8.8)
    rest = shapely.difference(GROUND, shapely.union_all([road, sliver, crumb]))
    faults = partition_faults(np.array([road, sliver, crumb, rest]), GROUND)
    assert told(faults) == [("sliver", (1,), 300.0), ("sliver", (2,), 0.25)]
    assert {one.of for one in faults} == {"polygon"}


def test_it_stops_when_told_and_at_the_most(cells):
    def stop(share):
        raise InterruptedError(share)

    with pytest.raises(InterruptedError):
        partition_faults(squares(), GROUND, tick=stop)
    everywhere = np.array([GROUND] * 30, dtype=object)
    assert len(partition_faults(everywhere, GROUND, most=10)) == 10


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), place=st.integers(0, 59), dx=st.floats(-9, 9), dy=st.floats(-9, 9))
def test_areas_of_a_shifted_polygon_add_up(cells, seed, place, dx, dy):
    """Σ areas - Σ overlaps = the union's; the ground - gaps = what the union covers of it; the rest is outside."""
    shapes = cut(seed)
    assert partition_faults(shapes, GROUND) == []
    shapes[place] = shapely.transform(shapes[place], lambda xy: xy + [dx, dy])
    faults = partition_faults(shapes, GROUND, tolerance_m=1e-4, sliver_m2=1e-9)
    union = shapely.union_all(shapes)
    slack = 1e-4 * shapely.length(shapes[place]) * 2 + 1e-3
    assert area_of(faults, "overlap") == pytest.approx(shapely.area(shapes).sum() - union.area, abs=slack)
    assert area_of(faults, "gap") == pytest.approx(GROUND.area - union.intersection(GROUND).area, abs=slack)
    assert area_of(faults, "outside") == pytest.approx(union.difference(GROUND).area, abs=slack)
    assert all(place in one.members for one in faults if one.of != "polygon")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_the_order_of_the_polygons_does_not_matter(seed, order):
    shapes = cut(seed)
    shapes[3] = shapely.transform(shapes[3], lambda xy: xy + 5)
    places = list(range(len(shapes)))
    order.shuffle(places)
    shuffled = partition_faults(shapes[places], GROUND)
    plain = partition_faults(shapes, GROUND)
    renamed = sorted(
        (one.kind, tuple(sorted(places[member] for member in one.members)), round(one.area_m2, 3))
        for one in shuffled
    )
    assert renamed == told(plain)


@given(width=st.floats(0.001, 5), length=st.floats(5, 5000), turn=st.floats(0, 90))
def test_the_inscribed_width_of_a_rectangle_is_its_shorter_side(width, length, turn):
    strip = shapely.affinity.rotate(box(0, 0, length, width), turn)
    assert is_wide(np.array([strip]), width * 0.999)[0]
    assert not is_wide(np.array([strip]), width * 1.001)[0]


def test_hairs_do_not_make_a_piece_wide():
    comb = shapely.union_all([box(0, 0, 100, 0.005), *(box(x, 0, x + 0.005, 50) for x in range(0, 100, 5))])
    assert comb.area > 5
    assert is_wide(np.array([comb]), 0.01).tolist() == [False]
    assert is_sliver(np.array([comb]), 1.0, 0.05).tolist() == [True]
