"""Deliveries of several cities as they came; what each must say is known."""

import numpy as np
import pytest

from spatial.crs import guess_crs, numeric_bounds
from spatial.formats import open_source
from spatial.numbers import BBox
from spatial.validity import Family, examine, repair

SHENZHEN = BBox(113.7, 22.4, 114.7, 22.9)


def reasons(source, srid):
    return np.concatenate(
        [examine(b.geometries, source.family, numeric_bounds(srid)) for b in source.batches()]
    )


def test_the_109609_buildings(shared_data):
    source = open_source(shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg")
    found = reasons(source, 4326)
    assert (source.count, len(found), source.srid, source.family) == (109_609, 109_609, 4326, Family.POLYGON)
    assert [reason for reason in found if reason is not None] == ["invalid"] * 4
    named = sum(batch.table.column("name").drop_null().length() for batch in source.batches())
    assert named == 29_800


def test_their_four_faults_can_be_repaired(shared_data):
    source = open_source(shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg")
    fixed = 0
    for batch in source.batches():
        done = repair(batch.geometries, Family.POLYGON)
        fixed += int(done.fixed.sum())
        assert not any(examine(done.geoms, Family.POLYGON, numeric_bounds(4326)))
    assert fixed == 4


@pytest.mark.parametrize(("name", "count"), [("sz", 10), ("grid", 9005)])
def test_a_shapefile_without_prj_is_asked_for(shared_data, name, count):
    source = open_source(shared_data / "shenzhen" / "pygeo-tutorial" / f"{name}.shp")
    assert (source.count, source.srid) == (count, None)
    assert [guess.srid for guess in guess_crs(source.bounds, SHENZHEN)] == [4490, 4326]


def test_the_gbk_shapefile_is_right_without_being_told(shared_data):
    source = open_source(shared_data / "shenzhen" / "pygeo-tutorial" / "shanghai_shp" / "区县界_area.shp")
    assert (source.count, source.srid, source.encoding, source.encoding_sure) == (17, 4326, "gb18030", True)
    names = next(source.batches()).table.column("NAME").to_pylist()
    assert {"宝山区", "浦东新区", "崇明县"} & set(names)


@pytest.mark.parametrize("path", ["ST-EVCDP", "ST-EVCDP/SZ_districts.shp"])
def test_traffic_zones_in_web_mercator(shared_data, path):
    source = open_source(shared_data / "shenzhen" / path)
    assert (source.count, source.srid, source.layer) == (491, 3857, "SZ_districts")
    assert not any(reasons(source, 3857))


@pytest.mark.parametrize(("path", "count"), [("ST-EVCDP/stations.csv", 1706), ("UrbanEV/inf.csv", 1362)])
def test_charging_stations(shared_data, path, count):
    source = open_source(shared_data / "shenzhen" / path)
    assert (source.count, source.family, source.srid) == (count, Family.POINT, None)
    assert not any(reasons(source, 4490))


def test_eight_districts_all_invalid_and_repaired(shared_data):
    source = open_source(next((shared_data / "shenzhen" / "pyecharts").glob("*.geojson")))
    assert list(reasons(source, 4326)) == ["invalid"] * 8
    done = repair(next(source.batches()).geometries, source.family)
    assert not any(examine(done.geoms, source.family, numeric_bounds(4326)))
    assert done.area_after == pytest.approx(done.area_before, rel=0.02)


def test_hong_kong_approvals(shared_data):
    counts = sorted(open_source(path).count for path in (shared_data / "hongkong").glob("*.geojson"))
    assert counts == [1895, 2266, 2487]


def test_service_requests_without_place(shared_data):
    source = open_source(next((shared_data / "cases").rglob("*.csv")))
    assert source.count == 4969
    assert list(reasons(source, 4326)).count("null") == 62
