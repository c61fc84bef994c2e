"""Web Map Service through clients nobody here wrote: OWSLib, and GDAL's driver."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from owslib.wms import WebMapService
from PIL import Image

HERE = Path(__file__).parent


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_opens_every_layer_in_every_crs(city, version):
    """In its own extent every layer paints something; a quarter turn of the axes would paint nothing."""
    service = WebMapService(f"{city.url}/services/wms", version=version)
    assert set(service.contents) >= {"division_district", "road", "building", "water_area"}
    boxes = WebMapService(f"{city.url}/services/wms", version="1.3.0")
    for name in service.contents:
        for code in ("EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:4547"):
            west, south, east, north = box_in(boxes, name, code)
            answer = service.getmap(
                layers=[name],
                styles=[""],
                srs=code,
                bbox=(west, south, east, north),
                size=(200, 160),
                format="image/png",
                transparent=True,
            )
            painted = np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGBA"))[..., 3]
            assert painted.any(), (name, code)


def box_in(service, name, code):
    """A layer's box in a CRS, east before north, as OWSLib reads the capabilities of 1.3.0 (of 1.1.1 it reads none)."""
    (box,) = [one for one in service[name].crs_list if one[4] == code]
    return box[:4]


def test_owslib_asks_what_is_there_and_gets_the_legend(city):
    service = WebMapService(f"{city.url}/services/wms", version="1.3.0")
    west, south, east, north = box_in(service, "division_district", "EPSG:4547")
    answer = service.getfeatureinfo(
        layers=["division_district"],
        query_layers=["division_district"],
        srs="EPSG:4547",
        size=(101, 101),
        bbox=(west, south, east, north),
        xy=(50, 50),
        info_format="application/json",
        format="image/png",
    )
    legend = service["division_district"].styles["default"]["legend"]

    assert "行政区" in city.get("/services/wms?REQUEST=GetCapabilities&SERVICE=WMS")[2].decode()
    assert b"FeatureCollection" in answer.read()
    assert city.get(legend.removeprefix(city.url))[1]["Content-Type"] == "image/png"


@pytest.mark.parametrize("code", ["EPSG:3857", "EPSG:4547", "EPSG:4326"])
def test_gdal_reads_a_picture(city, code):
    service = WebMapService(f"{city.url}/services/wms", version="1.3.0")
    box = [str(side) for side in box_in(service, "division_district", code)]
    words = [
        sys.executable,
        str(HERE / "read_wms.py"),
        f"{city.url}/services/wms",
        "division_district",
        code,
        *box,
        "256",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    bands, painted = map(int, done.stdout.split())
    assert bands in {3, 4}
    assert painted > 5_000
