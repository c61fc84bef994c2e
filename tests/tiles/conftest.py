"""Layers that make the edges of tiles visible, on a running site."""

from types import SimpleNamespace

import geopandas as gpd
import mapbox_vector_tile
import pytest
import shapely
from django.conf import settings

from layers.levels import city_grid
from spatial.tilegrids import matrix_sets
from tests import real_buildings

EXTENT = 4096
LEVEL, COLUMN, ROW = 9, 185, 255  # a tile of CityGrid in the middle of the city
GRIDS = matrix_sets(city_grid())
NAMES = list(GRIDS)


def decoded(body):
    """A tile's layers, y upward, coordinates in tile units."""
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": False})


def tile(site, layer, grid, z, x, y, key=None, query=""):
    """A tile's layers; the test fails unless the answer is 200."""
    status, headers, body = site.get(f"/tiles/{layer}/{grid}/{z}/{x}/{y}.mvt{query}", key)
    assert (status, headers["Content-Type"]) == (200, "application/vnd.mapbox-vector-tile"), body[:300]
    return decoded(body)


def ids(layers, name):
    """Ids of the features of one layer of a tile."""
    return sorted(one["id"] for one in layers.get(name, {}).get("features", ()))


def tile_at(grid, z, x, y):
    """Column and row of the tile in which a point (grid's units) lies."""
    side = grid.resolution(z) * 256
    return int((x - grid.left) // side), int((grid.top - y) // side)


def imported(site, path, name, frame, *words, public=True):
    """Write a frame to a file and import it as a layer of this name, readable by everybody unless said otherwise."""
    frame.to_file(path)
    given = [
        "--layer",
        name,
        "--title",
        name,
        "--department",
        "data",
        *words,
        *(["--public"] if public else []),
    ]
    code, report = site.manage("import_layer", str(path), *given)
    assert (code, report["written"]) == (0, len(frame)), report
    return SimpleNamespace(name=name, frame=frame)


def middle(frame, grid, row=0):
    """Centroid of a frame's row, in the grid's units."""
    return shapely.get_coordinates(frame.iloc[[row]].to_crs(settings.ONEMAP_SRID).centroid.to_crs(grid.srid))[
        0
    ]


@pytest.fixture(scope="session")
def buildings(site, shared_data):
    """The real buildings (tests/real_buildings.py)."""
    return real_buildings.on(site, shared_data)


@pytest.fixture(scope="session")
def corners(site, tmp_path_factory):
    """Labelled points on the corners and the edges of tiles, and within: fid 1 onwards in this order."""
    points = []
    for level in (LEVEL, LEVEL + 2, LEVEL + 4):
        step = 1 << (level - LEVEL)
        for column in range(COLUMN * step, COLUMN * step + 3):
            for row in range(ROW * step, ROW * step + 3):
                box = GRIDS["CityGrid"].bounds(level, column, row)
                points += [(box.xmin, box.ymax), (box.xmin, (box.ymin + box.ymax) / 2)]
                points += [
                    ((box.xmin + box.xmax) / 2, box.ymax),
                    ((box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2),
                ]
    points = list(dict.fromkeys(points))
    frame = gpd.GeoDataFrame(
        {"name": [f"点{number}" for number in range(len(points))]},
        geometry=shapely.points(points),
        crs=settings.ONEMAP_SRID,
    )
    return imported(
        site, tmp_path_factory.mktemp("corners") / "corners.gpkg", "tile_corners", frame, "--label", "name"
    )


@pytest.fixture(scope="session")
def squares(site, tmp_path_factory):
    """Squares beside and across the edges of one tile: where each lies is its name."""
    box = GRIDS["CityGrid"].bounds(LEVEL, COLUMN, ROW)
    unit = (box.xmax - box.xmin) / EXTENT
    left = {
        "inside": 100,
        "across": -10,
        "in the buffer": -50,
        "at the buffer's end": -70,
        "beyond the buffer": -200,
    }
    shapes = [
        shapely.box(
            box.xmin + at * unit, box.ymin + 500 * unit, box.xmin + (at + 20) * unit, box.ymin + 520 * unit
        )
        for at in left.values()
    ]
    frame = gpd.GeoDataFrame({"place": list(left)}, geometry=shapes, crs=settings.ONEMAP_SRID)
    return imported(site, tmp_path_factory.mktemp("squares") / "squares.gpkg", "tile_squares", frame)
