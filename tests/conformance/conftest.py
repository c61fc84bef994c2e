"""The real buildings of Shenzhen on a running site, asked by programs that are not ours."""

from types import SimpleNamespace

import geopandas as gpd
import pytest

from tests import real_buildings

PUBLIC = "conformance_blocks"


@pytest.fixture(scope="session")
def buildings(site, shared_data):
    """The real buildings (tests/real_buildings.py)."""
    return real_buildings.on(site, shared_data)


@pytest.fixture(scope="session")
def blocks(site, tmp_path_factory):
    """A public layer of 230 blocks with every type of field, as a frame in CRS84."""
    frame = gpd.GeoDataFrame(
        {
            "名称": [f"第{number}街区" for number in range(230)],
            "count": range(230),
            "share": [number / 7 for number in range(230)],
            "built": ["2026-01-31"] * 230,
        },
        geometry=gpd.GeoSeries.from_wkt([_square(number) for number in range(230)]),
        crs=4326,
    )
    path = tmp_path_factory.mktemp("blocks") / "blocks.gpkg"
    frame.to_file(path)
    words = ("--layer", PUBLIC, "--title", "街区", "--department", "data", "--public", "--label", "名称")
    code, report = site.manage("import_layer", str(path), *words)
    assert (code, report["written"]) == (0, 230), report
    return SimpleNamespace(name=PUBLIC, key=None, source=frame)


def _square(number, side=0.002):
    x, y = 114.0 + 0.003 * (number % 20), 22.55 + 0.003 * (number // 20)
    return f"POLYGON(({x} {y},{x + side} {y},{x + side} {y + side},{x} {y + side},{x} {y}))"
