"""Web Map Tile Service through clients nobody here wrote: OWSLib, and GDAL's driver."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from owslib.wmts import WebMapTileService
from PIL import Image

HERE = Path(__file__).parent


@pytest.mark.parametrize(("grid", "z", "x", "y"), [("CityGrid", 1, 0, 0), ("WebMercatorQuad", 8, 209, 111)])
def test_owslib_gets_a_tile(city, grid, z, x, y):
    service = WebMapTileService(f"{city.url}/services/wmts")
    assert set(service.tilematrixsets) == {"WebMercatorQuad", "CGCS2000Quad", "CityGrid"}
    told = {"layer": "division_district", "tilematrixset": grid, "tilematrix": str(z), "row": y, "column": x}
    picture = Image.open(io.BytesIO(service.gettile(**told, format="image/png").read()))

    assert picture.size == (256, 256)
    assert np.asarray(picture.convert("RGBA"))[..., 3].any()


@pytest.mark.parametrize("grid", ["WebMercatorQuad", "CGCS2000Quad", "CityGrid"])
def test_gdal_reads_a_picture(city, grid):
    words = [
        sys.executable,
        str(HERE / "read_wmts.py"),
        f"{city.url}/services/wmts",
        "division_district",
        grid,
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    bands, painted = map(int, done.stdout.split())
    assert bands == 4
    assert painted > 3_000
