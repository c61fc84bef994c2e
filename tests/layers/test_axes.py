import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.ogc import axes
from spatial.crs import CRS84, UnknownCrs, crs_of, transformation
from spatial.numbers import BBox

# Text of one box around the civic centre, as its sender writes it in each system.
BOXES = {
    "CRS84": "114.05,22.53,114.06,22.54",
    "EPSG:4326": "22.53,114.05,22.54,114.06",
    "EPSG:4490": "22.53,114.05,22.54,114.06",
    "EPSG:4547": "2492490.5,505143.7,2493598.0,506171.9",
    "EPSG:3857": "12695987.925,2575278.180,12697101.120,2576483.399",
}
EASTS, NORTHS = st.floats(420_000, 680_000), st.floats(2_400_000, 2_600_000)


@pytest.mark.parametrize("name", BOXES)
def test_a_box_means_the_same_place_in_every_system(name):
    crs = axes.output_crs(name)
    box = axes.box_from_text(BOXES[name], crs)
    assert box.xmin < box.xmax
    assert box.ymin < box.ymax
    moved = shapely.from_wkb(axes.box_to_storage(box, crs))
    assert moved.centroid.distance(shapely.Point(505_657.5, 2_493_044.3)) < 2


@pytest.mark.parametrize(
    ("name", "north_first"), [("CRS84", False), ("EPSG:4326", True), ("EPSG:4490", True)]
)
def test_six_numbers_are_turned_as_four_are(name, north_first):
    text = "22.53,114.05,1,22.54,114.06,2" if north_first else "114.05,22.53,1,114.06,22.54,2"
    assert tuple(axes.box_from_text(text, axes.output_crs(name))) == (114.05, 22.53, 114.06, 22.54)


@pytest.mark.parametrize("crs", axes.offered(), ids=lambda crs: crs.code)
def test_what_goes_out_comes_in_again(crs):
    square = shapely.box(505_000, 2_493_000, 505_100, 2_493_050)
    move = transformation(axes.STORAGE, crs.srid).apply
    sent = shapely.transform(square, lambda xy: move(xy)[:, ::-1] if crs.north_first else move(xy))
    assert shapely.equals_exact(axes.geometry_in(sent, crs), square, 2e-3)


@given(EASTS, NORTHS, st.sampled_from([0.0, 1.0, 5_000.0]), st.sampled_from([0.0, 1.0, 5_000.0]))
def test_an_extent_holds_its_corners_even_without_area(x, y, width, height):
    extent = axes.extent_out([x, y, x + width, y + height], CRS84)
    corners = np.array([[x, y], [x + width, y + height], [x, y + height], [x + width, y]])
    moved = transformation(axes.STORAGE, 4326).apply(corners)
    assert np.isfinite(extent).all()
    assert extent[0] - 1e-9 <= moved[:, 0].min()
    assert moved[:, 0].max() <= extent[2] + 1e-9
    assert extent[1] - 1e-9 <= moved[:, 1].min()
    assert moved[:, 1].max() <= extent[3] + 1e-9
    assert extent[2] - extent[0] < 0.2


@given(EASTS, NORTHS, st.sampled_from([(0.0, 0.0), (0.0, 10.0), (10.0, 0.0)]))
def test_a_box_without_area_still_touches_what_lies_there(x, y, size):
    box = BBox(x, y, x + size[0], y + size[1])
    moved = shapely.from_wkb(axes.box_to_storage(box, crs_of(axes.STORAGE)))
    assert moved.is_valid
    assert moved.intersects(shapely.Point(x, y))


def test_a_box_over_the_antimeridian_has_two_parts():
    assert axes.box_to_storage(BBox(170.0, -10.0, -170.0, 10.0), CRS84) is None
    around = shapely.from_wkb(axes.box_to_storage(BBox(113.0, 22.0, -170.0, 23.0), CRS84))
    assert around.intersects(shapely.Point(505_000, 2_493_000))


def test_a_box_beyond_what_can_be_stored_is_nowhere():
    assert axes.box_to_storage(BBox(-80.0, 40.0, -70.0, 45.0), CRS84) is None
    world = shapely.from_wkb(axes.box_to_storage(BBox(-180.0, -90.0, 180.0, 90.0), CRS84))
    assert world.intersects(shapely.Point(505_000, 2_493_000))


@pytest.mark.parametrize("text", ["EPSG:2326", "EPSG:4548", "4547", "", "EPSG:4547 ", "http://127.0.0.1:9/x"])
def test_other_systems_are_refused(text):
    with pytest.raises(UnknownCrs):
        axes.output_crs(text)


def test_without_a_name_it_is_crs84():
    assert axes.output_crs(None) is CRS84
    assert axes.offered()[0] is CRS84


@pytest.mark.parametrize(
    ("name", "flips", "digits"), [("CRS84", False, 8), ("EPSG:4326", True, 8), ("EPSG:4547", True, 4)]
)
def test_the_statement_flips_where_north_comes_first(name, flips, digits):
    text = repr(axes.geometry_out(axes.output_crs(name), axes.sql.Identifier("geom")))
    assert ("ST_FlipCoordinates" in text) is flips
    assert f"Literal({digits})" in text
