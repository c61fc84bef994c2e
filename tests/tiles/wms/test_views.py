"""Web Map Service on a running site: the right place, the right order of axes, the right refusals."""

import io
import json
import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from layers.ogc import axes
from spatial.crs import crs_of
from spatial.numbers import BBox
from tests.tiles.conftest import GRIDS, imported, tile_at

EAST, NORTH, SIDE = 506_000.0, 2_500_000.0, 100.0  # a square of 100 m, 4547
PAINTED = (227, 232, 238)


@pytest.fixture(scope="session")
def plot(site, tmp_path_factory):
    shape = shapely.box(EAST, NORTH, EAST + SIDE, NORTH + SIDE)
    values = {"name": ["一号地"], "items": ["<b>\x02&"]}
    frame = gpd.GeoDataFrame(values, geometry=[shape], crs=4547)
    return imported(site, tmp_path_factory.mktemp("plot") / "plot.gpkg", "plot_of_wms", frame)


def asked(**more):
    told = {
        "SERVICE": "WMS",
        "VERSION": "1.3.0",
        "REQUEST": "GetMap",
        "LAYERS": "plot_of_wms",
        "STYLES": "",
        "CRS": "EPSG:4547",
        "BBOX": f"{NORTH - 50},{EAST - 100},{NORTH + 150},{EAST + 200}",
        "WIDTH": "300",
        "HEIGHT": "200",
        "FORMAT": "image/png",
    } | more
    return "/services/wms?" + "&".join(f"{name}={value}" for name, value in told.items() if value is not None)


def drawn(site, path, key=None):
    status, headers, body = site.get(path, key)
    assert (status, headers["Content-Type"].split(";")[0].startswith("image/")) == (200, True), body[:500]
    return Image.open(io.BytesIO(body))


def painted(image):
    """Columns and rows (first, last + 1) of what has the colour of the square."""
    close = np.abs(np.asarray(image.convert("RGB")).astype(int) - PAINTED).max(axis=2) <= 4
    rows, columns = np.nonzero(close)
    return columns.min(), columns.max() + 1, rows.min(), rows.max() + 1


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "VERSION": "1.1.1",
            "CRS": None,
            "SRS": "EPSG:4547",
            "BBOX": f"{EAST - 100},{NORTH - 50},{EAST + 200},{NORTH + 150}",
        },
        {"FORMAT": "image/webp"},
        {"FORMAT": "image/jpeg"},
        {"FORMAT": "image/png;%20mode=8bit"},
    ],
)
def test_a_square_is_where_it_is_to_the_pixel(site, plot, more):
    """One metre a pixel: the inside begins after the outline, which lies half a pixel on each side."""
    left, right, top, bottom = painted(drawn(site, asked(**more)))

    assert (abs(left - 100) <= 1, abs(right - 200) <= 1) == (True, True), (left, right)
    assert (abs(top - 50) <= 1, abs(bottom - 150) <= 1) == (True, True), (top, bottom)


@pytest.mark.parametrize("srid", [4326, 4490, 3857])
def test_a_corner_is_within_a_pixel_in_every_crs(site, plot, srid):
    crs = crs_of(srid)
    corner = axes.extent_out([EAST, NORTH, EAST + SIDE, NORTH + SIDE], crs)
    pixel = (corner[2] - corner[0]) / 150
    box = BBox(
        corner[0] - 75 * pixel, corner[1] - 75 * pixel, corner[0] + 225 * pixel, corner[1] + 225 * pixel
    )
    ordered = (box.ymin, box.xmin, box.ymax, box.xmax) if crs.north_first else box
    text = ",".join(f"{side:.10f}" for side in ordered)
    left, right, _, bottom = painted(
        drawn(site, asked(CRS=f"EPSG:{srid}", BBOX=text, WIDTH="300", HEIGHT="300"))
    )

    # The square is turned a little against these axes: its corner is the lowest left point within a few pixels.
    assert abs(left - 75) <= 2, left
    assert abs(300 - bottom - 75) <= 2, bottom
    assert abs(right - 225) <= 3, right


def test_capabilities_tell_what_the_caller_may_see(site, plot):
    status, _, body = site.get("/services/wms?REQUEST=GetCapabilities&SERVICE=WMS")
    names = [one.text for one in ET.fromstring(body).iter("{http://www.opengis.net/wms}Name")]

    assert status == 200
    assert "plot_of_wms" in names


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"LAYERS": "no_such_layer"}, 404, "LayerNotDefined"),
        ({"STYLES": "no_such_style"}, 400, "StyleNotDefined"),
        ({"CRS": "EPSG:2000"}, 400, "InvalidCRS"),
        ({"FORMAT": "image/tiff"}, 400, "InvalidFormat"),
        ({"WIDTH": "0"}, 400, None),
        ({"WIDTH": "4097"}, 400, None),
        ({"HEIGHT": "inf"}, 400, None),
        ({"BBOX": "1,2,3"}, 400, None),
        ({"BBOX": f"{NORTH},{EAST},{NORTH},{EAST}"}, 400, None),
        ({"TIME": "yesterday"}, 400, "InvalidDimensionValue"),
        ({"REQUEST": "Draw"}, 400, "OperationNotSupported"),
        ({"layers": "plot_of_wms"}, 400, None),
        ({"BBOX": "%00%01,%EF%BF%BF,&lt;,]]%3E"}, 400, None),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_the_services_own_words(site, plot, more, status, code):
    answer, headers, body = site.get(asked(**more))
    said = ET.fromstring(body).find("{http://www.opengis.net/ogc}ServiceException")

    assert (answer, said.get("code")) == (status, code), body
    assert headers["Content-Type"].startswith("text/xml")


INFO = {"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "plot_of_wms", "FORMAT": None}


def informed(site, key=None, **more):
    status, headers, body = site.get(asked(**INFO, **more), key)
    assert status == 200, body[:500]
    return headers["Content-Type"].split(";")[0], body.decode()


@pytest.mark.parametrize(
    ("i", "j", "hit"),
    [(150, 100, True), (98, 100, True), (95, 100, False), (199, 149, True), (150, 40, False)],
)
def test_what_lies_under_a_pixel_is_told_and_nothing_beside_it(site, plot, i, j, hit):
    """The square covers columns 100 to 200 and rows 50 to 150; three pixels beside it still count."""
    media, body = informed(site, I=str(i), J=str(j), INFO_FORMAT="application/json")

    assert media == "application/json"
    assert [one["properties"]["name"] for one in json.loads(body)["features"]] == ["一号地"] * hit


def test_version_1_1_1_says_x_and_y(site, plot):
    box = f"{EAST - 100},{NORTH - 50},{EAST + 200},{NORTH + 150}"
    media, body = informed(site, VERSION="1.1.1", CRS=None, SRS="EPSG:4547", BBOX=box, X="150", Y="100")

    assert (media, "name = 一号地" in body) == ("text/plain", True)


@pytest.mark.parametrize("media", ["text/html", "application/vnd.ogc.gml"])
def test_other_formats_tell_the_same(site, plot, media):
    body = informed(site, I="150", J="100", INFO_FORMAT=media)[1]

    assert "一号地" in body
    assert "<b>" not in body  # a field called `items`, with what is neither HTML nor XML
    if media.endswith("gml"):
        assert ET.fromstring(body) is not None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"I": "300", "J": "10"}, "InvalidPoint"),
        ({"I": "-1", "J": "10"}, "InvalidPoint"),
        ({"I": "1e1", "J": "10"}, "InvalidPoint"),
        ({"I": "10", "J": "10", "INFO_FORMAT": "text/xml"}, "InvalidFormat"),
        ({"I": "10", "J": "10", "QUERY_LAYERS": "other"}, None),
        ({"I": "10", "J": "10", "FEATURE_COUNT": "many"}, None),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(site, plot, more, code):
    status, _, body = site.get(asked(**INFO | more))
    said = ET.fromstring(body).find("{http://www.opengis.net/ogc}ServiceException")

    assert (status, said.get("code")) == (400, code), body


def test_the_legend_is_a_picture_and_data(site, plot):
    told = {"REQUEST": "GetLegendGraphic", "LAYER": "plot_of_wms", "LAYERS": None}
    image = drawn(site, asked(**told))
    classes = site.json(asked(**told | {"FORMAT": "application/json"}))["classes"]

    assert painted(image)[1] - painted(image)[0] > 20
    assert [one["type"] for one in classes[0]["symbols"]] == ["fill", "line"]


@pytest.fixture(scope="session")
def half(site, plot):
    """A key that may see the layer within the western half of the square."""
    code, told = site.manage("service_key", "create", "--department", "water", "--name", "half of the plot")
    assert code == 0, told
    west = shapely.to_geojson(
        gpd.GeoSeries([shapely.box(EAST - 500, NORTH - 500, EAST + 50, NORTH + 500)], crs=4547).to_crs(4490)[
            0
        ]
    )
    given = ("--layer", "half_plot", "--to", "department:water", "--actions", "view,query", "--area", west)
    return told["key"], given


def test_a_picture_is_cut_where_the_right_ends(site, plot, half, tmp_path_factory):
    key, given = half
    imported(site, tmp_path_factory.mktemp("half") / "half.gpkg", "half_plot", plot.frame, public=False)
    assert site.manage("grant", *given)[0] == 0
    left, right, top, bottom = painted(drawn(site, asked(LAYERS="half_plot"), key))

    assert abs(left - 100) <= 1
    assert abs(right - 150) <= 1, right
    assert site.get(asked(LAYERS="half_plot"))[0] == 404


def test_a_tile_is_cut_where_the_right_ends(site, half):
    """The kept tile is whole; what a caller with half of it gets is cut of the same bytes."""
    grid, z = GRIDS["CityGrid"], 10
    x, y = tile_at(grid, z, EAST + 50, NORTH + 50)
    image = drawn(site, f"/tiles/half_plot/CityGrid/{z}/{x}/{y}.png", half[0])
    left, right, _, _ = painted(image.convert("RGBA"))
    box, pixel = grid.bounds(z, x, y), grid.resolution(z)

    assert abs(left - max(0, (EAST - box.xmin) / pixel)) <= 2
    assert abs(right - (EAST + 50 - box.xmin) / pixel) <= 2
    assert site.get(f"/tiles/half_plot/CityGrid/{z}/{x}/{y}.png")[0] == 404
