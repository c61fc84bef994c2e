"""OWSLib's client for OGC API Features, which many departments' scripts stand on."""

import pytest
from owslib.ogcapi.features import Features
from shapely.geometry import box, shape


def client(site, key):
    """OWSLib keeps the headers of its last client for the next one, so every client here brings a key."""
    return Features(f"{site.url}/ogc/", headers={"Authorization": f"Bearer {key}"})


def test_it_finds_its_way_from_the_landing_page(site, blocks, buildings):
    ours = client(site, buildings.key)
    assert {blocks.name, buildings.name} <= set(ours.feature_collections())
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in ours.conformance()["conformsTo"]
    assert f"/collections/{blocks.name}/items" in ours.api()["paths"]
    assert ours.collection(buildings.name)["title"] == "建筑"


def test_counts_names_and_fields_are_the_files(site, buildings):
    ours = client(site, buildings.key)
    page = ours.collection_items(buildings.name, limit=1000)
    assert (page["numberMatched"], page["numberReturned"]) == (109_609, 1000)
    rows = buildings.source.head(1000)
    names = rows["name"].astype(object).where(rows["name"].notna(), None).tolist()
    assert [one["properties"]["name"] for one in page["features"]] == names
    last = page["features"][-1]
    assert ours.collection_item(buildings.name, str(last["id"]))["properties"] == last["properties"]


def test_queryables_name_what_the_key_may_see(site, buildings):
    whole = client(site, buildings.key).collection_queryables(buildings.name)["properties"]
    limited = client(site, buildings.limited).collection_queryables(buildings.name)["properties"]
    assert set(whole) == {"geometry", "name", "height", "levels", "building", "src_tile"}
    assert set(limited) == {"geometry", "name", "building"}


def test_a_box_gives_what_lies_in_it(site, buildings):
    bounds = [114.05, 22.53, 114.06, 22.54]
    page = client(site, buildings.key).collection_items(buildings.name, bbox=bounds, limit=10_000)
    inside = buildings.source.geometry.intersects(box(*bounds))
    assert page["numberMatched"] == page["numberReturned"] == int(inside.sum()) > 100
    assert all(shape(one["geometry"]).intersects(box(*bounds).buffer(1e-7)) for one in page["features"])


def test_a_wrong_key_is_told_so(site, buildings):
    with pytest.raises(RuntimeError, match='"status": 401'):
        client(site, f"{buildings.key}x").collection(buildings.name)
    # The headers are kept for the next client: see above.
    assert client(site, buildings.key).collection(buildings.name)["id"] == buildings.name
