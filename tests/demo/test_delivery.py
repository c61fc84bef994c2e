"""The district's yearly survey: what is planted in it is there, and only that."""

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from demo.delivery import change_some, survey, write_survey
from demo.survey_faults import plant_faults
from demo.survey_profile import profile

SCHEMA = Path(__file__).parents[2] / "layers/exchange/deliveries/profile.schema.json"


@pytest.fixture(scope="module")
def clean():
    return survey("440304", 2025, 20)


@pytest.fixture(scope="module")
def folder(clean, tmp_path_factory):
    made = tmp_path_factory.mktemp("survey") / "delivered"
    write_survey(clean, made, 20)
    return made


def test_the_profile_meets_its_schema_and_names_every_file(folder):
    document = profile()
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    named = {part["source"] for part in document["parts"]}
    assert named == {path.stem for path in folder.iterdir() if path.suffix in {".shp", ".xlsx", ".tif"}}


def test_forty_shapefiles_in_gbk_and_zone_38_say_neither(folder):
    shapes = sorted(folder.glob("*.shp"))
    assert len(shapes) == 40
    assert not [*folder.glob("*.prj"), *folder.glob("*.cpg")]
    east = pyogrio.read_info(folder / "DLTB.shp", force_total_bounds=True)["total_bounds"][0]
    assert 38_480_000 < east < 38_560_000
    assert "城镇住宅用地".encode("gbk") in (folder / "DLTB.dbf").read_bytes()


def test_the_land_parcels_fill_the_district(clean):
    shapes, district = clean.frames["DLTB"].geometry.array, clean.frames["XZQ"].geometry.array[0]
    assert abs(shapely.area(shapes).sum() - district.area) < 1.0
    assert clean.tables["KZMJ"]["KZMJ"].sum() == pytest.approx(clean.frames["DLTB"]["TBMJ"].sum(), abs=1)


def test_the_raster_covers_the_district(folder, clean):
    with rasterio.open(folder / "DEM.tif") as file:
        west, south, east, north = clean.frames["XZQ"].total_bounds
        assert file.bounds.left <= west + 30 and file.bounds.right >= east - 30
        assert float(np.max(file.read(1))) > 100


def test_twelve_faults_each_of_another_kind(clean):
    made = deepcopy(clean)
    plant_faults(made)
    assert len({one.code for one in made.planted}) == 12
    frame = made.frames["DLTB"]
    assert frame["DLBM"].tolist().count("9999") == 1
    assert (~shapely.is_valid(made.frames["JF"].geometry.array)).sum() == 1


def test_next_year_three_per_cent_are_other(clean):
    later = deepcopy(clean)
    changed = change_some(later, 0.03, 2026)
    before = clean.frames["DLTB"].set_index("BSM")
    after = later.frames["DLTB"].set_index("BSM")
    touched = changed["updated"] | changed["inserted"]
    same = [key for key in after.index if key not in touched]
    assert 0.02 < len(changed["updated"]) / len(before) < 0.04
    assert shapely.is_valid(after.geometry.array).all()
    assert set(after["SJNF"]) == {2025, 2026}
    assert (before.loc[same, "DLBM"] == after.loc[same, "DLBM"]).all()
    assert shapely.area(after.geometry.array).sum() == pytest.approx(
        shapely.area(before.geometry.array).sum()
    )
