"""`export_layer`: every suffix, and an area to clip to."""

import json

import pyogrio
import pytest
import shapely
from django.core.management import CommandError, call_command

from layers.models import Layer
from spatial.crs import transformation
from tests import people
from tests.layermaking import NORTH, WEST, ground, make_layer, square

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture(scope="module")
def city(kept) -> Layer:
    people.offices()
    parted = {"code": "440304", "name": "福田区", "geometry": square(WEST, NORTH, 473.4567)}
    make_layer("division_district", [parted])
    return make_layer("parcels_told", ground("parcels_told"))


def run(capsys, *words):
    try:
        call_command("export_layer", *map(str, words), "--json")
        code = 0
    except CommandError as error:
        code = error.returncode
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("more", [(), ("--cut",)])
def test_a_division_clips(city, capsys, tmp_path, more):
    path = tmp_path / "parcels.gpkg"
    code, told = run(capsys, "parcels_told", path, "--area", "division:440304", *more)
    assert (code, told["features"]) == (0, 1)
    shape = pyogrio.read_dataframe(path, layer="parcels_told").geometry[0]
    whole, district = ground("parcels_told")[0]["geometry"], square(WEST, NORTH, 473.4567)
    wanted = whole.intersection(district).area if more else whole.area
    assert shape.area == pytest.approx(wanted, abs=0.1)
    assert whole.intersection(district).area < whole.area - 1_000


@pytest.mark.parametrize("kind", ["text", "file", "feature"])
def test_a_drawn_area_clips(city, capsys, tmp_path, kind):
    district = square(WEST, NORTH, 473.4567)
    drawn = shapely.transform(district, transformation(4547, 4490, {}).apply)
    area = shapely.to_geojson(drawn)
    if kind == "feature":
        area = json.dumps({"type": "Feature", "properties": {}, "geometry": json.loads(area)})
    if kind == "file":
        (tmp_path / "area.geojson").write_text(area)
        area = tmp_path / "area.geojson"
    code, told = run(capsys, "parcels_told", tmp_path / "parcels.gpkg", "--area", area, "--cut")
    assert (code, told["features"]) == (0, 1)
    shape = pyogrio.read_dataframe(tmp_path / "parcels.gpkg", layer="parcels_told").geometry[0]
    wanted = ground("parcels_told")[0]["geometry"].intersection(district).area
    assert shape.area == pytest.approx(wanted, abs=0.1)


def test_how_far_it_is_goes_to_stderr(city, capsys, tmp_path):
    call_command("export_layer", "parcels_told", str(tmp_path / "x.gpkg"), "--json")
    assert "6 features" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".xlsx", ".dxf", ".parquet", ".fgb", ".csv", ".shp.zip", ".geojson"])
def test_every_suffix(city, capsys, tmp_path, suffix):
    code, told = run(capsys, "parcels_told", tmp_path / f"parcels{suffix}")
    assert (code, told["features"]) == (0, 6)
    assert (tmp_path / f"parcels{suffix}").stat().st_size > 100


@pytest.mark.parametrize(
    "words", [("--cut",), ("--area", "box"), ("--area", "division:000000"), ("--area", "{}")]
)
def test_a_wrong_area_is_refused(city, capsys, tmp_path, words):
    code, told = run(capsys, "parcels_told", tmp_path / "x.gpkg", *words)
    assert (code, told["status"]) == (1, "failed")
    assert list(tmp_path.iterdir()) == []
