import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from shapely import STRtree

from demo.city import generate
from demo.layers import BY_NAME, LAYERS
from demo.sizes import UnknownSize
from demo.tables import districts, land_uses, outline_ring, streets, use_rules

EXACT_M2 = 1e-6
ROOT = Path(__file__).parents[2]
PARCEL_CODE = r"4403\d{2}\d{3}\d{3}GB\d{5}"
POLYGON_LAYERS = [spec.name for spec in LAYERS if spec.geometry == "polygon"]
TABLES = {spec.name for spec in LAYERS if spec.geometry == "table"}
FAMILIES = {"polygon": {"Polygon", "MultiPolygon"}, "line": {"LineString"}, "point": {"Point"}}
DIGESTS = """
import json
from collections import defaultdict
from hashlib import sha256
from demo.city import generate
digests = defaultdict(sha256)
rows = defaultdict(sha256)
for spec, frame in generate("small", 20):
    shapes = b"".join(frame.geometry.to_wkb()) if "geometry" in frame else b""
    digests[spec.name].update(shapes)
    rows[spec.name].update(frame.drop(columns="geometry", errors="ignore").to_csv(header=False, index=False).encode())
print(json.dumps({name: digests[name].hexdigest() + rows[name].hexdigest() for name in digests}))
"""


def digest(frame):
    whole = b"".join(frame.geometry.to_wkb()) if "geometry" in frame else b""
    shapes = hashlib.sha256(whole).hexdigest()
    rows = frame.drop(columns="geometry", errors="ignore").to_csv(header=False, index=False)
    return shapes + hashlib.sha256(rows.encode()).hexdigest()


def overlap_m2(shapes):
    """The largest area two of the shapes share."""
    left, right = STRtree(shapes).query(shapes, predicate="intersects")
    pair = left < right
    shared = shapely.area(shapely.intersection(shapes[left[pair]], shapes[right[pair]]))
    return shared.max(initial=0.0)


def assert_partition(parts, wholes, owner):
    """The parts with each owner cover that whole, without gap or overlap."""
    assert overlap_m2(parts) < EXACT_M2
    area = np.bincount(owner, weights=shapely.area(parts), minlength=len(wholes))
    assert np.abs(area - shapely.area(wholes)).max() < EXACT_M2 * 10  # sums of large doubles
    outside = shapely.area(shapely.difference(parts, wholes[owner]))
    assert outside.max() < EXACT_M2


def owners(codes, parents):
    place = {code: at for at, code in enumerate(parents)}
    return np.array([place[code] for code in codes])


def shapes_of(frame):
    return frame.geometry.to_numpy()


def test_the_same_seed_gives_the_same_city_in_another_process(city):
    run = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == {name: digest(frame) for name, frame in city.items()}


def test_another_seed_gives_another_city(city):
    spec, other = next(iter(generate("small", 21)))
    assert spec.name == "division_district"
    assert list(other["code"]) == list(city["division_district"]["code"])
    assert not other.geometry.geom_equals_exact(city["division_district"].geometry, 1.0).any()


def test_an_unknown_size_is_refused_by_name():
    with pytest.raises(UnknownSize) as refusal:
        next(generate("planet", 1))
    assert refusal.value.facts == {"size": "planet", "possible": "small, district, city"}


def test_every_declared_layer_comes_with_its_declared_fields(city):
    assert list(city) and set(city) == set(BY_NAME) - {"elevation"}
    for name, frame in city.items():
        declared = [field.name for field in BY_NAME[name].fields]
        assert [column for column in frame.columns if column != "geometry"] == declared, name
        assert name in TABLES or frame.crs.to_epsg() == 4547


def test_small_is_small(city):
    assert 100_000 < sum(len(frame) for frame in city.values()) < 150_000


@pytest.mark.parametrize("name", [spec.name for spec in LAYERS if spec.geometry in FAMILIES])
def test_geometries_are_valid_flat_and_on_the_map(city, name):
    shapes = shapes_of(city[name])
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()
    assert not shapely.has_z(shapes).any()
    west, south, east, north = city[name].total_bounds
    assert west > 430_000 and east < 600_000 and south > 2_480_000 and north < 2_535_000
    assert set(city[name].geom_type) <= FAMILIES[BY_NAME[name].geometry]


@pytest.mark.parametrize("name", POLYGON_LAYERS)
def test_no_sliver_passes_for_a_feature(city, name):
    assert shapely.area(shapes_of(city[name])).min() > 1.0


def test_names_and_codes_of_divisions_are_the_real_ones(city):
    ward, street = city["division_district"], city["division_street"]
    assert list(zip(ward["code"], ward["name"], strict=True)) == [(d.code, d.name_zh) for d in districts()]
    assert sorted(zip(street["code"], street["name"], street["parent"], strict=True)) == sorted(
        (s.code, s.name_zh, s.parent) for s in streets()
    )
    assert len(ward) == 9
    assert len(street) == 79
    assert {"福田区", "罗湖区", "南山区", "光明区"} <= set(ward["name"])


def test_communities_are_named_after_their_street(city):
    street = city["division_street"].set_index("code")
    community = city["division_community"]
    assert community["code"].is_unique and community["name"].is_unique
    assert community["code"].str.fullmatch(r"4403\d{8}").all()
    for code, name in zip(community["code"], community["name"], strict=True):
        assert name.startswith(street["name"][code[:9]].removesuffix("街道"))
        assert name.endswith("社区")


def test_districts_partition_the_city(city):
    shapes = shapes_of(city["division_district"])
    assert overlap_m2(shapes) < EXACT_M2
    whole = shapely.union_all(shapes)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert abs(whole.area - shapely.area(shapes).sum()) < EXACT_M2 * 100
    assert whole.intersection(shapely.Polygon(outline_ring())).area > 0.97 * whole.area


def test_streets_partition_their_district(city):
    ward, street = city["division_district"], city["division_street"]
    assert_partition(shapes_of(street), shapes_of(ward), owners(street["parent"], ward["code"]))


def test_communities_partition_their_street(city):
    street, community = city["division_street"], city["division_community"]
    assert_partition(shapes_of(community), shapes_of(street), owners(community["parent"], street["code"]))


def test_every_street_hangs_together(city):
    assert (shapely.get_num_geometries(shapes_of(city["division_street"])) == 1).all()


def test_parcels_partition_their_block(city):
    block, parcel = city["block"], city["parcel"]
    assert_partition(shapes_of(parcel), shapes_of(block), owners(parcel["block"], block["code"]))


def test_blocks_lie_apart_inside_their_community(city):
    block, community = city["block"], city["division_community"]
    assert block["code"].is_unique
    owner = owners(block["community"], community["code"])
    assert shapely.within(shapes_of(block), shapes_of(community)[owner]).all()
    left, right = STRtree(shapes_of(block)).query(shapes_of(block), predicate="dwithin", distance=7.5)
    assert (left == right).all()


@pytest.mark.parametrize("name", ["landuse_plan", "landuse_status"])
def test_land_use_covers_the_city_once(city, name):
    shapes = shapes_of(city[name])
    assert overlap_m2(shapes) < EXACT_M2
    whole = shapely.area(shapes_of(city["division_district"])).sum()
    assert abs(shapely.area(shapes).sum() - whole) < EXACT_M2 * 100


def test_roads_run_between_blocks_not_through_them(city):
    road, block = shapes_of(city["road"]), shapes_of(city["block"])
    which, at = STRtree(block).query(road, predicate="intersects")
    inside = shapely.length(shapely.intersection(road[which], block[at]))
    assert inside.sum() < 0.001 * shapely.length(road).sum()


def test_parcel_codes_have_the_form_and_the_division_of_their_place(city):
    parcel = city["parcel"]
    assert parcel["code"].is_unique
    assert parcel["code"].str.fullmatch(PARCEL_CODE).all()
    assert (parcel["code"].str[:12] == parcel["block"].str[:12]).all()


@pytest.mark.parametrize("name", ["parcel", "landuse_plan", "landuse_status"])
def test_land_uses_are_in_the_code_table_and_in_the_legend(city, name):
    frame, table = city[name], land_uses()
    assert set(frame["land_use"]) <= set(table)
    names = {code: use.name_zh for code, use in table.items()}
    assert (frame["land_use"].map(names) == frame["land_use_name"]).all()
    classes = BY_NAME[name].style.get("classes")
    assert classes is None or set(frame["land_use"]) <= {one["values"][0] for one in classes}


def test_areas_are_those_of_the_shapes(city):
    for name in ("block", "parcel", "landuse_plan", "landuse_status", "division_street", "water_area"):
        assert np.abs(city[name]["area_m2"] - city[name].area).max() <= 0.0051, name


def test_the_uses_of_built_up_land_have_usual_shares(city):
    plan = city["landuse_plan"]
    group = plan["land_use"].str[:2]
    area = plan.groupby(group)["area_m2"].sum().drop(["01", "02", "03", "17"])
    share = area / area.sum()
    assert 0.25 < share["07"] < 0.40
    assert 0.05 < share["08"] < 0.10
    assert 0.12 < share["10"] < 0.30
    assert 0.10 < share["12"] < 0.25
    assert 0.10 < share["14"] < 0.16


def test_plan_limits_are_given_where_something_may_be_built(city):
    plan = city["landuse_plan"]
    built = plan["land_use"].isin(use_rules()) & plan["parcel"].notna()
    assert plan.loc[built, ["far", "density", "green", "height_m"]].notna().all().all()
    assert plan.loc[~built, ["far", "density", "green", "height_m"]].isna().all().all()
    assert plan["far"].dropna().between(0.2, 12).all()
    assert (plan["density"] + plan["green"]).dropna().max() <= 95


def test_buildings_keep_to_their_parcel_and_its_limits(city):
    building = city["building"]
    parcel = city["parcel"].set_index("code")
    own = building["code"].str[:19]
    assert building["code"].str.fullmatch(PARCEL_CODE + r"F\d{8}").all()
    assert building["code"].is_unique
    assert shapely.within(shapes_of(building), parcel.geometry[own].to_numpy()).all()
    assert overlap_m2(shapes_of(building)) < EXACT_M2
    plan = city["landuse_plan"].dropna(subset=["parcel"]).set_index("parcel")
    as_planned = plan["land_use"] == parcel["land_use"].reindex(plan.index)
    foot = building.area.groupby(own).sum()
    floor = (building.area * building["floors"]).groupby(own).sum()
    kept = foot.index[as_planned.reindex(foot.index)]
    area = parcel["area_m2"][kept]
    assert (foot[kept] / area * 100 <= plan["density"][kept] + 0.1).all()
    assert (floor[kept] / area <= plan["far"][kept] + 0.01).all()
    tallest = building.groupby(own)["height_m"].max()
    assert (tallest[kept] <= plan["height_m"][kept]).all()


def test_buildings_are_believable(city):
    building = city["building"]
    assert building["floors"].between(1, 80).all()
    assert (building["height_m"] / building["floors"]).between(2.8, 9.1).all()
    assert building["year"].between(1980, 2023).all()
    assert 0.03 < building["name"].notna().mean() < 0.5
    assert building["floors"].max() > 40
    assert building.area.between(60, 40_000).all()


def test_most_of_the_city_lies_north_of_the_sea_and_the_border(city):
    """The gate's own measure: the middle of the city is Shenzhen on the globe."""
    middle = shapely.union_all(shapes_of(city["division_district"])).centroid
    lon, lat = Transformer.from_crs(4547, 4490, always_xy=True).transform(middle.x, middle.y)
    assert 113.9 < lon < 114.3
    assert 22.5 < lat < 22.8


def test_unit_grids_fill_their_communities_and_bear_their_codes(city):
    grid, community = city["grid_unit"], city["division_community"]
    assert grid["code"].is_unique and grid["code"].str.fullmatch(r"4403\d{11}").all()
    owner = owners(grid["community"], community["code"])
    area = np.bincount(owner, weights=shapely.area(shapes_of(grid)), minlength=len(community))
    assert np.abs(area - shapely.area(shapes_of(community))).max() < 1.0
    assert (grid["code"].str[:12] == grid["community"]).all()
    assert overlap_m2(shapes_of(grid)) < 0.01


def test_the_control_lines_never_overlap(city):
    lines = [
        shapely.union_all(shapes_of(city[name])) for name in ("line_ecology", "line_farmland", "line_urban")
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert shapely.intersection(lines[one], lines[other]).area < 1.0


def test_components_lie_in_the_grid_they_name(city):
    some, grid = city["component"].iloc[::50], city["grid_unit"].set_index("code").geometry
    assert city["component"]["code"].is_unique
    assert city["component"]["code"].str.fullmatch(r"4403\d{12}").all()
    assert shapely.intersects(some.geometry.array, grid.loc[some["grid"]].array).all()


def test_people_and_addresses_belong_to_buildings(city):
    known = set(city["building"]["code"])
    assert set(city["population"]["building"]) <= known
    assert set(city["address"]["building"]) == known
    assert 1_000_000 < city["population"]["residents"].sum() < 10_000_000
