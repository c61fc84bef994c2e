"""The 109,609 real buildings of Shenzhen as a layer of a running site, imported once however many tests ask."""

import functools
from types import SimpleNamespace

import geopandas as gpd

LAYER = "conformance_buildings"
SEEN = ("name", "building")


@functools.cache
def on(site, shared_data):
    """The layer: `key` may query all of it, `limited` two of its fields; `source` is the file, by row."""
    path = shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg"
    words = ("--layer", LAYER, "--title", "建筑", "--department", "data", "--repair")
    code, report = site.manage("import_layer", str(path), *words)
    assert (code, report["read"], report["written"]) == (0, 109_609, 109_609), report
    site.manage("grant", "--layer", LAYER, "--to", "department:transport", "--actions", "view,query")
    fields = ("--fields", ",".join(SEEN))
    site.manage("grant", "--layer", LAYER, "--to", "department:water", "--actions", "view,query", *fields)
    source = gpd.read_file(path, fid_as_index=True).sort_index()
    return SimpleNamespace(
        name=LAYER,
        key=key_of(site, "transport"),
        limited=key_of(site, "water"),
        source=source,
        report=report,
    )


def key_of(site, department):
    """A new key of a department."""
    return site.manage("service_key", "create", "--department", department, "--name", "tests")[1]["key"]
