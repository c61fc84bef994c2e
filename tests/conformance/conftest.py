"""The real buildings of Shenzhen on a running site, asked by programs that are not ours."""

from types import SimpleNamespace

import geopandas as gpd
import pytest

LAYER, PUBLIC = "conformance_buildings", "conformance_blocks"
SEEN = ("name", "building")


@pytest.fixture(scope="session")
def source(shared_data):
    """The file itself, in the order of its rows."""
    path = shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg"
    return path, gpd.read_file(path, fid_as_index=True).sort_index()


@pytest.fixture(scope="session")
def buildings(site, source):
    """The file as a layer: `key` may query all of it, `limited` two of its fields."""
    words = ("--layer", LAYER, "--title", "建筑", "--department", "data", "--repair")
    code, report = site.manage("import_layer", str(source[0]), *words)
    assert (code, report["read"], report["written"]) == (0, 109_609, 109_609), report
    site.manage("grant", "--layer", LAYER, "--to", "department:transport", "--actions", "view,query")
    fields = ("--fields", ",".join(SEEN))
    site.manage("grant", "--layer", LAYER, "--to", "department:water", "--actions", "view,query", *fields)
    keys = {
        department: site.manage("service_key", "create", "--department", department, "--name", "conformance")[
            1
        ]["key"]
        for department in ("transport", "water")
    }
    return SimpleNamespace(
        name=LAYER, key=keys["transport"], limited=keys["water"], source=source[1], report=report
    )


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
