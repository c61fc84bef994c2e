import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.crs import numeric_bounds
from spatial.validity import Family, count_z, examine, explain, family_of, force_2d, repair

BOUNDS = numeric_bounds(4547)
BOW_TIE = "POLYGON ((500000 2500000, 500010 2500010, 500010 2500000, 500000 2500010, 500000 2500000))"
SQUARE = "POLYGON ((500000 2500000, 500010 2500000, 500010 2500010, 500000 2500010, 500000 2500000))"


def geoms(*texts):
    return np.array([None if text is None else shapely.from_wkt(text) for text in texts], dtype=object)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "null"),
        ("POLYGON EMPTY", "empty"),
        ("POINT (500000 2500000)", "wrong-type"),
        ("GEOMETRYCOLLECTION EMPTY", "wrong-type"),
        (
            "POLYGON ((38500000 2500000, 38500010 2500000, 38500010 2500010, 38500000 2500000))",
            "out-of-range",
        ),
        ("POLYGON ((0 0, 1e300 0, 0 1, 0 0))", "out-of-range"),
        (BOW_TIE, "invalid"),
        ("POLYGON ((500000 2500000, 500010 2500000, 500020 2500000, 500000 2500000))", "invalid"),
        (SQUARE, None),
        (f"MULTI{SQUARE.replace('((', '(((').replace('))', ')))')}", None),
    ],
)
def test_each_fault_has_its_name(text, reason):
    assert examine(geoms(text), Family.POLYGON, BOUNDS)[0] == reason


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_found(number):
    ring = np.array([[500000, 2500000], [500010, 2500000], [number, 2500010], [500000, 2500000]], dtype=float)
    with np.errstate(invalid="ignore"):
        faulty = np.array([shapely.Polygon(ring)], dtype=object)
    assert examine(faulty, Family.POLYGON, BOUNDS)[0] == "non-finite"


def test_order_is_kept_among_many():
    found = examine(geoms(SQUARE, None, BOW_TIE, SQUARE), Family.POLYGON, BOUNDS)
    assert list(found) == [None, "null", "invalid", None]
    assert len(examine(geoms(), Family.POLYGON, BOUNDS)) == 0


def test_a_fault_is_told_with_its_place_in_two_languages():
    fault = explain(shapely.from_wkt(BOW_TIE))
    assert (fault.en, fault.zh, fault.x, fault.y) == ("Self-intersection", "自相交", 500005.0, 2500005.0)


def test_repair_tells_area_before_and_after():
    done = repair(geoms(BOW_TIE, SQUARE, None), Family.POLYGON)
    assert list(done.fixed) == [True, False, False]
    assert done.area_before[0] == pytest.approx(0)
    assert done.area_after[0] == pytest.approx(50)
    assert done.reasons[0].startswith("Self-intersection")
    assert done.geoms[1].equals_exact(shapely.from_wkt(SQUARE))
    assert list(examine(done.geoms, Family.POLYGON, BOUNDS)) == [None, None, "null"]


def test_repair_keeps_only_parts_of_the_family():
    mixed = (
        f"GEOMETRYCOLLECTION ({SQUARE}, POINT (500000 2500000), LINESTRING (500000 2500000, 500001 2500001))"
    )
    assert repair(geoms(mixed), Family.POLYGON).geoms[0].geom_type == "Polygon"
    assert repair(geoms(mixed), Family.LINE).geoms[0].geom_type == "LineString"
    assert not repair(geoms("POINT (1 1)"), Family.POLYGON).fixed[0]


def test_heights_are_counted_and_dropped_on_request():
    solid = geoms("POINT Z (500000 2500000 35)", "POINT (500000 2500000)")
    assert count_z(solid) == 1
    assert count_z(force_2d(solid)) == 0
    assert count_z(repair(solid, Family.POINT, drop_z=False).geoms) == 1
    assert not repair(solid, Family.POINT).fixed.any()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=9))
def test_whatever_is_repaired_may_be_stored(points):
    ring = [(500000 + x, 2500000 + y) for x, y in points]
    faulty = np.array([shapely.Polygon(ring)], dtype=object)
    done = repair(faulty, Family.POLYGON)
    reason = examine(done.geoms, Family.POLYGON, BOUNDS)[0]
    assert reason is None or not done.fixed[0]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Point", Family.POINT),
        ("MultiPolygon Z", Family.POLYGON),
        ("wkbPoint25D", Family.POINT),
        ("3D Measured Multi Line String", None),
        ("2.5D MultiPolygon", Family.POLYGON),
        ("LineString ZM", Family.LINE),
        ("MultiCurve", Family.LINE),
        ("MultiSurface", Family.POLYGON),
        ("PointM", Family.POINT),
        ("Unknown", None),
        ("GeometryCollection", None),
        ("", None),
    ],
)
def test_families_by_name(name, family):
    assert family_of(name) is family
