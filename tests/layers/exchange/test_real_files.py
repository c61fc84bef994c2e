"""Deliveries of several cities as they came: every row accounted for, every name and place as it was."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from layers.exchange.exports import export
from layers.models import Change, Layer, Lineage
from layers.ogc import axes
from layers.rights import Action
from spatial.crs import crs_of

BUILDINGS, BUILDING_COUNT, BUILDING_NAMES = "buildings", 109_609, 29_800


def by_code(report, code):
    return [one for one in report["findings"] if one["code"] == code]


def accounted(report):
    assert report["read"] == sum(report[name] for name in ("inserted", "updated", "unchanged", "rejected"))
    assert report["written"] == report["inserted"] + report["updated"] + report["unchanged"]
    return report


@pytest.fixture(scope="module")
def source(shared_data):
    """The buildings as they were delivered, read by another reader."""
    return pyogrio.read_dataframe(shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg")


@pytest.fixture(scope="module")
def normal(source):
    """Which of them are valid, and their shapes from a fixed corner on."""
    valid = shapely.is_valid(np.array(source.geometry.values))
    return valid, shapely.normalize(np.array(source.geometry.values)[valid])


@pytest.fixture
def building_file(shared_data):
    return shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg"


@pytest.fixture
def buildings(land, building_file):
    """The buildings, repaired, as a layer; imported once, by the command."""
    if not Layer.objects.filter(name=BUILDINGS).exists():
        report = land.bring(building_file, BUILDINGS, repair=True, public=True, secrecy="public")
        assert report["status"] == "done"
        land.building_report = report
    return BUILDINGS


def test_the_four_invalid_buildings_are_named_with_their_place(land, building_file, source):
    report = accounted(land.bring(building_file, land.name_of_layer()))
    assert (report["read"], report["inserted"], report["rejected"]) == (BUILDING_COUNT, 109_605, 4)
    named = by_code(report, "invalid-geometry")
    invalid = np.flatnonzero(~shapely.is_valid(source.geometry.values))
    assert sorted(one["row"] for one in named) == [number + 1 for number in invalid]
    for one in named:
        where = shapely.Point(one["at"])
        assert source.geometry.iloc[one["row"] - 1].distance(where) < 1e-6
        assert one["message"] and one["message_zh"]


def test_with_repair_all_are_in(land, buildings):
    report = accounted(land.building_report)
    assert (report["read"], report["written"], report["rejected"], report["repaired"]) == (
        BUILDING_COUNT,
        BUILDING_COUNT,
        0,
        4,
    )
    for one in by_code(report, "repaired"):
        assert one["area_before_m2"] >= 0
        assert one["area_after_m2"] > 0
    assert land.state(buildings).feature_count == BUILDING_COUNT
    assert Lineage.objects.get(layer__name=buildings).source_crs == "EPSG:4326"


def test_chinese_names_are_the_same_in_items(land, buildings, source):
    chosen = source[source.name.notna()].sample(40, random_state=7)
    for row, feature in chosen.iterrows():
        body = land.json(f"/ogc/collections/{buildings}/items/{row + 1}?f=json")
        assert body["properties"]["name"] == feature["name"]
        assert body["properties"]["building"] == feature["building"]
        theirs = shapely.normalize(feature.geometry)
        assert shapely.normalize(shapely.from_geojson(json.dumps(body["geometry"]))).equals_exact(
            theirs, 2e-8
        )


def read_back(path):
    if path.name.endswith(".csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
        return gpd.GeoDataFrame(frame, geometry=shapely.from_wkt(frame.wkt), crs=4326)
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    return pyogrio.read_dataframe(f"/vsizip/{path}" if path.name.endswith(".shp.zip") else path, layer=0)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".csv", ".fgb", ".parquet", ".shp.zip"])
def test_an_export_gives_back_names_numbers_and_places(land, buildings, source, normal, tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    crs = axes.file_crs(crs_of(4326), path)
    assert export(land.scope(buildings, Action.DOWNLOAD), path, crs=crs) == BUILDING_COUNT
    back = read_back(path)
    if suffix == ".fgb":  # FlatGeobuf packs features by place
        back = back.sort_values("fid")
    assert len(back) == BUILDING_COUNT
    names, theirs = (frame["name"].astype(object).fillna("") for frame in (back, source))
    different = [
        (one, two) for one, two in zip(theirs, names, strict=True) if one != two and f"'{one}" != two
    ]
    assert different == []
    heights = pd.to_numeric(back["height"]).astype(float)
    assert np.allclose(heights.to_numpy(), source["height"].to_numpy(float), equal_nan=True)
    valid, given = normal
    ours = shapely.normalize(shapely.make_valid(np.array(back.geometry.values))[valid])
    ones = np.array([shape.geoms[0] if shape.geom_type == "MultiPolygon" else shape for shape in ours])
    assert shapely.equals_exact(ones, given, 2e-8).all()
    bounds, theirs = (shapely.bounds(np.array(frame.geometry.values)) for frame in (back, source))
    np.testing.assert_allclose(bounds, theirs, rtol=0, atol=2e-8)


def test_a_shapefile_without_prj_is_held_until_its_crs_is_given(land, shared_data):
    name = land.name_of_layer("districts")
    words = ["import_layer", str(shared_data / "shenzhen/pygeo-tutorial/sz.shp"), "--layer", name]
    words += ["--title", "区", "--department", "data"]
    code, report = land.manage(*words)
    assert (code, report["status"], [one["code"] for one in report["held"]]) == (3, "held", ["crs-missing"])
    held = report["held"][0]
    assert held["guesses"][0]["crs"] == "EPSG:4490"
    assert held["guesses"][0]["why"] and held["guesses"][0]["why_zh"]
    assert held["pass"] == "--source-crs EPSG:4490"
    assert not Layer.objects.filter(name=name).exists()
    code, report = land.manage(*words, *held["pass"].split())
    assert (code, accounted(report)["inserted"], report["source_crs"]) == (0, 10, "EPSG:4490")
    assert {"南山", "福田", "罗湖", "宝安"} <= {row[1] for row in land.rows(name, "qh")}


def test_the_grid_without_prj_is_whole(land, shared_data):
    path, name = shared_data / "shenzhen/pygeo-tutorial/grid.shp", land.name_of_layer("grid")
    assert land.bring(path, name)["held"][0]["code"] == "crs-missing"
    report = accounted(land.bring(path, name, source_crs="EPSG:4326"))
    assert (report["inserted"], report["rejected"]) == (9005, 0)


def test_the_gbk_shapefile_is_right_without_being_told_and_lies_outside_the_city(land, shared_data):
    path = shared_data / "shenzhen/pygeo-tutorial/shanghai_shp/区县界_area.shp"
    name = land.name_of_layer("shanghai")
    report = land.bring(path, name)
    assert (report["status"], [one["code"] for one in report["held"]]) == ("held", ["outside-city"])
    report = accounted(land.bring(path, name, accept=("outside-city",)))
    assert (report["status"], report["encoding"], report["written"]) == ("done", "gb18030", 17)
    assert by_code(report, "outside-city")[0]["count"] == 17
    assert {"宝山区", "浦东新区", "崇明县"} <= {row[1] for row in land.rows(name, "NAME")}


@pytest.mark.parametrize("number", range(3))
def test_hong_kong_is_held_and_imported_when_accepted(land, shared_data, number):
    path = sorted((shared_data / "hongkong").glob("*.geojson"))[number]
    name, count = land.name_of_layer("hongkong"), len(json.loads(path.read_text())["features"])
    report = land.bring(path, name)
    assert [one["code"] for one in report["held"]] == ["outside-city"]
    assert not Layer.objects.filter(name=name).exists()
    report = accounted(land.bring(path, name, accept=("outside-city",)))
    assert (report["status"], report["read"]) == ("done", count)
    features = json.loads(path.read_text())["features"]
    names = [field.name for field in land.scope(name).layer.fields]
    assert set(names) == {key for one in features for key in one["properties"]}
    texts = [
        one
        for one in names
        if any("一" <= letter <= "鿿" for letter in str(features[0]["properties"].get(one)))
    ]
    shown = land.rows(name, *texts)
    wanted = [tuple(one["properties"].get(key) for key in texts) for one in features if one["geometry"]]
    assert [row[1:] for row in shown] == wanted
    assert len(texts) >= 1


def test_eight_districts_all_invalid_are_repaired_with_their_areas(land, shared_data):
    path = next((shared_data / "shenzhen/pyecharts").glob("*.geojson"))
    report = accounted(land.bring(path, land.name_of_layer()))
    assert (report["read"], report["rejected"]) == (8, 8)
    report = accounted(land.bring(path, land.name_of_layer(), repair=True))
    assert (report["inserted"], report["repaired"]) == (8, 8)
    for one in by_code(report, "repaired"):
        assert one["area_after_m2"] == pytest.approx(one["area_before_m2"], rel=0.02)


def test_traffic_zones_come_from_web_mercator(land, shared_data):
    path, name = shared_data / "shenzhen/ST-EVCDP/SZ_districts.shp", land.name_of_layer("zones")
    report = accounted(land.bring(path, name))
    assert (report["inserted"], report["source_crs"]) == (491, "EPSG:3857")
    theirs = pyogrio.read_dataframe(path).to_crs(4547)
    ours = shapely.from_wkt([row[1] for row in land.rows(name, "geom")])
    assert shapely.hausdorff_distance(ours, np.array(theirs.geometry.values)).max() < 0.01


@pytest.mark.parametrize(("path", "count"), [("ST-EVCDP/stations.csv", 1706), ("UrbanEV/inf.csv", 1362)])
def test_charging_stations_from_csv(land, shared_data, path, count):
    name, file = land.name_of_layer("stations"), shared_data / "shenzhen" / path
    assert land.bring(file, name)["held"][0]["code"] == "crs-missing"
    report = accounted(land.bring(file, name, source_crs="EPSG:4326", key="station_id"))
    assert report["inserted"] == count
    frame = pd.read_csv(file)
    move = pyproj.Transformer.from_crs(4326, 4547, always_xy=True)
    x, y = move.transform(frame.longitude.to_numpy(), frame.latitude.to_numpy())
    ours = shapely.get_coordinates(shapely.from_wkt([row[1] for row in land.rows(name, "geom")]))
    assert np.abs(ours - np.column_stack([x, y])).max() < 0.001


def test_files_without_places_become_tables(land, shared_data):
    for path in sorted((shared_data / "shenzhen/divisions").glob("*.csv")):
        name = land.name_of_layer()
        report = accounted(land.bring(path, name))
        assert (report["status"], report["rejected"]) == ("done", 0)
        assert report["inserted"] == len(pd.read_csv(path))
        assert (land.state(name).family, land.state(name).extent) == ("table", None)
        land.sound(name)


def test_new_yorks_requests_are_held_and_those_without_place_named(land, shared_data):
    path, name = next((shared_data / "cases").rglob("*.csv")), land.name_of_layer("cases")
    report = land.bring(path, name, source_crs="EPSG:4326")
    assert [one["code"] for one in report["held"]] == ["outside-city"]
    report = accounted(land.bring(path, name, source_crs="EPSG:4326", accept=("outside-city",)))
    assert (report["read"], report["inserted"], report["rejected"]) == (
        4969,
        0,
        4969,
    )  # no number of EPSG:4547
    assert report["finding_count"] > 4969


def test_a_dry_run_publishes_nothing(land, shared_data):
    path, name = shared_data / "shenzhen/ST-EVCDP/SZ_districts.shp", land.name_of_layer("dry")
    changes, incoming = Change.objects.count(), set((land.folder / "incoming").glob("*"))
    report = land.bring(path, name, dry_run=True)
    assert (report["status"], report["read"], report["written"]) == ("done", 491, 0)
    assert not Layer.objects.filter(name=name).exists()
    assert Change.objects.count() == changes
    assert land.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'") == [(0,)]
    accounted({**report, "written": report["would_write"]})
    assert set((land.folder / "incoming").glob("*")) == incoming


def moved(folder, shared_data, name, srid, change):
    """The traffic zones in another system, with changed coordinates."""
    frame = pyogrio.read_dataframe(shared_data / "shenzhen/ST-EVCDP/SZ_districts.shp")
    shapes = shapely.transform(np.array(frame.to_crs(4547).geometry.values), change)
    path = Path(folder) / name
    gpd.GeoDataFrame(frame[["TAZID"]], geometry=shapes, crs=srid).to_file(path, driver="GPKG")
    return path


def test_swapped_axes_are_held(land, shared_data, tmp_path):
    path = moved(tmp_path, shared_data, "swapped.gpkg", 4547, lambda points: points[:, ::-1])
    report = land.bring(path, land.name_of_layer())
    assert [one["code"] for one in report["held"]] == ["axes-swapped"]


def test_an_easting_with_its_zone_contradicts_a_system_without(land, shared_data, tmp_path):
    path = moved(tmp_path, shared_data, "zone.gpkg", 4547, lambda points: points + [38_000_000, 0])
    name = land.name_of_layer()
    held = land.bring(path, name)["held"]
    assert [(one["code"], one["pass"]) for one in held] == [("crs-contradicted", "--source-crs EPSG:4526")]
    report = accounted(land.bring(path, name, source_crs="EPSG:4526"))
    assert report["inserted"] == 491


def test_xian_80_waits_for_the_citys_parameters(land, shared_data, tmp_path, settings):
    path = moved(tmp_path, shared_data, "xian.gpkg", 2383, lambda points: points)
    name = land.name_of_layer("xian")
    report = land.bring(path, name)
    assert [one["code"] for one in report["held"]] == ["crs-inaccurate"]
    assert "ONEMAP_CRS_PARAMETERS" in report["held"][0]["pass"]
    settings.ONEMAP_CRS_PARAMETERS = {
        "2383->4547": "+proj=pipeline +step +proj=affine +xoff=100 +yoff=-50 +accuracy=0.05"
    }
    report = accounted(land.bring(path, name))
    assert (report["inserted"], report["source_crs"]) == (491, "EPSG:2383")
    ours = shapely.from_wkt([row[1] for row in land.rows(name, "geom")])
    theirs = np.array(pyogrio.read_dataframe(path).geometry.values)
    assert shapely.bounds(ours) - shapely.bounds(theirs) == pytest.approx(
        np.tile([100, -50, 100, -50], (491, 1))
    )


def test_secret_data_are_refused_before_they_are_read(land, shared_data):
    name = land.name_of_layer("secret")
    words = ["import_layer", str(shared_data / "shenzhen/ST-EVCDP/SZ_districts.shp"), "--layer", name]
    code, report = land.manage(*words, "--title", "密", "--department", "data", "--secrecy", "secret")
    assert code != 0
    assert (report["code"], report["status"]) == ("secret-refused", "failed")
    assert not Layer.objects.filter(name=name).exists()
