"""Web Map Service on a running site: the right place, the right order of axes, the right refusals."""

import io
import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from layers.ogc import axes
from spatial.crs import crs_of
from spatial.numbers import BBox
from tests.tiles.conftest import imported

EAST, NORTH, SIDE = 506_000.0, 2_500_000.0, 100.0  # a square of 100 m, 4547
PAINTED = (227, 232, 238)


@pytest.fixture(scope="session")
def plot(site, tmp_path_factory):
    shape = shapely.box(EAST, NORTH, EAST + SIDE, NORTH + SIDE)
    frame = gpd.GeoDataFrame({"name": ["一号地"]}, geometry=[shape], crs=4547)
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
    ],
)
def test_what_cannot_be_drawn_is_refused_in_the_services_own_words(site, plot, more, status, code):
    answer, headers, body = site.get(asked(**more))
    said = ET.fromstring(body).find("{http://www.opengis.net/ogc}ServiceException")

    assert (answer, said.get("code")) == (status, code), body
    assert headers["Content-Type"].startswith("text/xml")
