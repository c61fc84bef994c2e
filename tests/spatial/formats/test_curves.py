import math
import struct

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.formats.curves import UnknownShape, linearise
from spatial.formats.gdal import from_wkb


def line(kind, points, order="<"):
    head = struct.pack(order + "BII", order == "<", kind, len(points))
    return head + b"".join(struct.pack(order + "dd", *point) for point in points)


def gathered(kind, parts):
    return struct.pack("<BII", 1, kind, len(parts)) + b"".join(parts)


def circle(x, y, radius):
    return line(8, [(x - radius, y), (x, y + radius), (x + radius, y), (x, y - radius), (x - radius, y)])


@given(st.floats(0.1, 5000), st.floats(0.001, 0.1))
def test_chords_stay_within_the_tolerance_of_the_arc(radius, tolerance):
    chords = linearise(line(8, [(0, 0), (radius, radius), (2 * radius, 0)]), tolerance)
    points = shapely.get_coordinates(chords)
    middles = (points[1:] + points[:-1]) / 2
    assert np.hypot(points[:, 0] - radius, points[:, 1]) == pytest.approx(radius, rel=1e-9)
    assert (radius - np.hypot(middles[:, 0] - radius, middles[:, 1])).max() <= tolerance * (
        1 + 1e-6
    ) + 1e-9 * radius
    assert tuple(points[0]) == (0, 0)
    assert tuple(points[-1]) == (2 * radius, 0)


@pytest.mark.parametrize(("middle", "above"), [((1.0, 1.0), True), ((1.0, -1.0), False)])
def test_an_arc_goes_by_way_of_its_middle(middle, above):
    chords = linearise(line(8, [(0, 0), middle, (2, 0)], ">"), 0.01)
    assert (shapely.get_coordinates(chords)[1:-1, 1] > 0).all() == above


def test_a_curved_polygon_with_a_hole():
    found = linearise(gathered(10, [circle(0, 0, 10), circle(0, 0, 5)]), 0.001)
    assert found.area == pytest.approx(math.pi * 75, rel=1e-3)
    assert found.is_valid


def test_compound_curves_join_their_pieces():
    half = gathered(9, [line(8, [(0, 0), (5, 5), (10, 0)]), line(2, [(10, 0), (0, 0)])])
    found = linearise(gathered(12, [gathered(10, [half])]), 0.001)
    assert found.geom_type == "MultiPolygon"
    assert found.area == pytest.approx(math.pi * 25 / 2, rel=1e-3)
    assert linearise(gathered(11, [half]), 0.01).geom_type == "MultiLineString"


def test_a_full_circle_and_a_straight_arc():
    full = shapely.Polygon(linearise(line(8, [(0, 0), (10, 0), (0, 0)]), 0.001))
    assert full.area == pytest.approx(math.pi * 25, rel=1e-3)
    assert linearise(line(8, [(0, 0), (1, 0), (2, 0)]), 0.01).length == 2


@pytest.mark.parametrize(
    "wkb",
    [
        b"",
        b"\x01",
        gathered(15, []),
        gathered(16, []),
        line(8, [(0, 0)])[:-4],
        gathered(10, [b""]),
        struct.pack("<BII", 1, 8, 2**31),
    ],
)
def test_other_shapes_are_told_apart(wkb):
    with pytest.raises(UnknownShape):
        linearise(wkb, 0.01)


def test_curves_among_others_are_counted():
    notes = []
    wkb = [shapely.to_wkb(shapely.Point(1, 2)), None, gathered(10, [circle(0, 0, 1)]), gathered(16, [])]
    found = from_wkb(np.array(wkb, dtype=object), 0.01, notes)
    assert [None if geom is None else geom.geom_type for geom in found] == [
        "Point",
        None,
        "Polygon",
        "GeometryCollection",
    ]
    assert [(note["code"], note["count"]) for note in notes] == [("curves-linearised", 1)]
