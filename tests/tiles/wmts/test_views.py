"""Web Map Tile Service on a running site: the right tile in each of the grids, and the right refusals."""

import io
import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely
from django.conf import settings
from PIL import Image

from layers.ogc import axes
from spatial.crs import transformation
from tests.tiles.conftest import GRIDS, NAMES, imported, tile_at

EAST, NORTH, SIDE = 507_000.0, 2_501_000.0, 400.0
PAINTED = (227, 232, 238)
LEVELS = {"WebMercatorQuad": 16, "CGCS2000Quad": 16, "CityGrid": 10}
OWS = "{http://www.opengis.net/ows/1.1}"


@pytest.fixture(scope="module")
def plot(site, tmp_path_factory):
    """A square of 400 m, 4547."""
    shape = shapely.box(EAST, NORTH, EAST + SIDE, NORTH + SIDE)
    frame = gpd.GeoDataFrame({"name": ["一号地"]}, geometry=[shape], crs=4547)
    return imported(site, tmp_path_factory.mktemp("wmts") / "plot.gpkg", "plot_of_wmts", frame)


def corner(grid):
    """The square's upper left corner in the grid's units."""
    place = np.array([[EAST, NORTH + SIDE]])
    if grid.srid != axes.STORAGE:
        place = transformation(axes.STORAGE, grid.srid, settings.ONEMAP_CRS_PARAMETERS).apply(place)
    return float(place[0, 0]), float(place[0, 1])


def asked(grid, z, x, y, **more):
    told = {
        "SERVICE": "WMTS",
        "REQUEST": "GetTile",
        "VERSION": "1.0.0",
        "LAYER": "plot_of_wmts",
        "STYLE": "default",
        "FORMAT": "image/png",
        "TILEMATRIXSET": grid,
        "TILEMATRIX": z,
        "TILEROW": y,
        "TILECOL": x,
    } | more
    return "/services/wmts?" + "&".join(
        f"{name}={value}" for name, value in told.items() if value is not None
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_corner_is_on_its_pixel_in_every_grid(site, plot, name):
    grid, z = GRIDS[name], LEVELS[name]
    x, y = corner(grid)
    column, row = tile_at(grid, z, x, y)
    address = f"/services/wmts/rest/plot_of_wmts/default/{name}/{z}/{row}/{column}.png"
    (status, headers, body), by_parameters = site.get(address), site.get(asked(name, z, column, row))
    assert (status, headers["Content-Type"], by_parameters[2] == body) == (200, "image/png", True), body[:300]

    box = grid.bounds(z, column, row)
    pixel = grid.resolution(z)
    inside = np.asarray(Image.open(io.BytesIO(body)).convert("RGBA")).astype(int)
    close = (np.abs(inside[..., :3] - PAINTED).max(axis=2) <= 4) & (inside[..., 3] > 200)
    wanted_column, wanted_row = (x - box.xmin) / pixel, (box.ymax - y) / pixel
    # A little inside the corner is painted, a little outside is not.
    inner = close[min(int(wanted_row) + 4, 255), min(int(wanted_column) + 4, 255)]
    outer = inside[max(int(wanted_row) - 3, 0), max(int(wanted_column) - 3, 0), 3]
    assert (bool(inner), int(outer)) == (True, 0), (wanted_column, wanted_row)


def test_capabilities_tell_the_grids_as_the_standard_writes_them(site, plot):
    status, _, body = site.get("/services/wmts/1.0.0/WMTSCapabilities.xml")
    root = ET.fromstring(body)
    space = {"w": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}
    sets = {
        one.find("ows:Identifier", space).text: one
        for one in root.findall(".//w:Contents/w:TileMatrixSet", space)
    }
    first = {name: one.find("w:TileMatrix", space) for name, one in sets.items()}

    assert status == 200
    assert "plot_of_wmts" in [one.text for one in root.findall(".//w:Layer/ows:Identifier", space)]
    corners = {name: one.find("w:TopLeftCorner", space).text for name, one in first.items()}
    assert corners["CityGrid"] == "2640000.0 400000.0"  # north first, as EPSG:4547 has it
    assert corners["CGCS2000Quad"] == "90.0 -180.0"
    scales = {name: float(one.find("w:ScaleDenominator", space).text) for name, one in first.items()}
    assert scales["CityGrid"] == pytest.approx(4_096_000)
    assert scales["WebMercatorQuad"] == pytest.approx(559_082_264.0287178)
    assert scales["CGCS2000Quad"] == pytest.approx(279_541_132.0143589)


@pytest.mark.parametrize(
    ("more", "status", "code", "locator"),
    [
        ({"LAYER": "no_such"}, 404, "InvalidParameterValue", "layer"),
        ({"TILEROW": "99999"}, 400, "TileOutOfRange", "TileRow"),
        ({"TILECOL": "-1"}, 400, "InvalidParameterValue", "TileCol"),
        ({"TILEMATRIX": "77"}, 400, "InvalidParameterValue", "TileMatrix"),
        ({"TILEMATRIX": "../../1"}, 400, "InvalidParameterValue", "TileMatrix"),
        ({"TILEMATRIXSET": "NoGrid"}, 400, "InvalidParameterValue", "TileMatrixSet"),
        ({"FORMAT": "image/tiff"}, 400, "InvalidParameterValue", "FORMAT"),
        ({"TILECOL": None}, 400, "MissingParameterValue", "TILECOL"),
        ({"TIME": "2026-01-01"}, 400, "InvalidParameterValue", "TIME"),
        ({"REQUEST": "Fly"}, 400, "OperationNotSupported", None),
    ],
)
def test_what_is_no_tile_is_refused_and_leaves_no_folder(site, plot, more, status, code, locator):
    before = sorted(site.folder.glob("tiles/*"))
    answer, _, body = site.get(asked("CityGrid", 3, 2, 2, **more))
    said = ET.fromstring(body).find(f"{OWS}Exception")

    assert (answer, said.get("exceptionCode"), said.get("locator")) == (status, code, locator), body
    assert sorted(site.folder.glob("tiles/*")) == before
