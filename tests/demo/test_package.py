import geopandas as gpd
import pytest
from shapely import LineString, box

from demo import package
from demo.layers import BY_NAME, LAYERS


@pytest.fixture
def two_parts(monkeypatch):
    """A city of two road parts and one block."""

    def frame(shape, **columns):
        return gpd.GeoDataFrame(columns, geometry=[shape], crs="EPSG:4547")

    def generate(size, seed):
        yield (
            BY_NAME["road"],
            frame(LineString([(500_000, 2_500_000), (500_100, 2_500_000)]), name=["福华路"]),
        )
        yield BY_NAME["block"], frame(box(500_000, 2_500_000, 500_050, 2_500_050), code=["1"])
        yield (
            BY_NAME["road"],
            frame(LineString([(500_000, 2_500_100), (500_100, 2_500_100)]), name=["彩田路"]),
        )

    monkeypatch.setattr(package, "generate", generate)


def test_the_parts_of_a_layer_become_one_file(two_parts, tmp_path):
    files = list(package.write_city(tmp_path, "small", 1))
    assert [spec for spec, _ in files] == list(LAYERS)
    road = gpd.read_file(tmp_path / "road.gpkg")
    assert list(road["name"]) == ["福华路", "彩田路"]
    assert road.crs.to_epsg() == 4547
    assert set(gpd.read_file(tmp_path / "block.gpkg").geom_type) == {"MultiPolygon"}
