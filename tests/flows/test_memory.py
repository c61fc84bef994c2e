"""The transport department harvests the whole city; the web server stays small."""

import json
import os
from pathlib import Path

import pytest

MOST_MB = 300  # a worker of the web server, whatever it streams


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all below it, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max([own, *(memory_mb(int(child)) for child in children)])


@pytest.mark.slow
def test_a_harvest_of_the_whole_city_is_flat_in_memory(site, shared_data):
    buildings = shared_data / "shenzhen" / "shenzhen_osm_buildings_109k.gpkg"
    code, report = site.manage(
        "import_layer",
        str(buildings),
        "--layer",
        "harvested",
        "--title",
        "建筑",
        "--department",
        "data",
        "--repair",
    )
    assert code == 0, report
    _, made = site.manage(
        "service_key", "create", "--department", "transport", "--name", f"harvest-{os.getpid()}"
    )
    site.manage(
        "grant", "--layer", "harvested", "--to", "department:transport", "--actions", "view,query,download"
    )
    web, key = site.processes[0], made["key"]
    seen, path, most = set(), "/ogc/collections/harvested/items?limit=10000", 0.0
    while path:
        page = site.json(path, key)
        seen.update(feature["id"] for feature in page["features"])
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].removeprefix(site.url) if following else None
        most = max(most, memory_mb(web.pid))
    status, _, body = site.get("/catalogue/harvested/download.geojson", key)
    assert status == 200
    assert len(json.loads(body)["features"]) == len(seen) == report["written"] == 109_609
    assert max(most, memory_mb(web.pid)) < MOST_MB
