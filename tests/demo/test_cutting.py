import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.cutting import REACH_M, divide, exact_faces, long_angle, running, stretched
from demo.seeds import stream

sides = st.floats(120, 900)
angles = st.floats(0, np.pi)


def rectangle(width, depth, angle):
    ring = np.array([[0, 0], [width, 0], [width, depth], [0, depth]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return shapely.Polygon(ring @ turn + np.array([505_000, 2_495_000]))


@settings(max_examples=40, deadline=None)
@given(sides, sides, angles, st.integers(0, 10_000))
def test_pieces_fill_the_shape_and_none_is_much_larger_than_wanted(width, depth, angle, seed):
    shape = np.array([shapely.set_precision(rectangle(width, depth, angle), 0.001)], dtype=object)
    pieces = divide(shape, long_angle(shape), 10_000.0, stream(seed, "test"))
    faces, owner = exact_faces(shape, pieces.cuts)
    assert (owner == 0).all()
    assert len(faces) == len(pieces.geometry) == len(pieces.cuts) + 1
    assert shapely.area(faces).sum() == pytest.approx(shape[0].area, abs=1.0)
    assert shapely.area(faces).max() < 10_000 * 1.5 * 1.25 + 10
    assert shapely.coverage_is_valid(faces)


def test_a_shape_small_enough_stays_whole():
    shape = np.array([rectangle(80, 60, 0.3)], dtype=object)
    pieces = divide(shape, long_angle(shape), 10_000.0, stream(1, "test"))
    assert len(pieces.geometry) == 1
    assert len(pieces.cuts) == 0


def test_the_long_side_gives_the_direction():
    shape = np.array([rectangle(500, 100, 0.4), rectangle(100, 500, 0.4)], dtype=object)
    found = np.mod(long_angle(shape), np.pi)
    assert found == pytest.approx([0.4, 0.4 + np.pi / 2], abs=1e-6)


def test_a_cut_reaches_past_both_ends():
    line = np.array([shapely.LineString([(0, 0), (100, 0)])], dtype=object)
    assert stretched(line)[0].bounds == pytest.approx((-REACH_M, 0, 100 + REACH_M, 0))


def test_running_counts_anew_in_each_run():
    assert running(np.array([4, 4, 4, 7, 9, 9])).tolist() == [0, 1, 2, 0, 0, 1]
    assert running(np.array([], dtype=np.int64)).tolist() == []
