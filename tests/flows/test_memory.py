"""The transport department harvests the whole city, a surveyor hands over a great file; no process grows with it."""

import json
import os
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.conftest import ROOT, wait_until
from tests.layers.conftest import EAST, NORTH

MOST_MB = 300  # a worker of the web server, whatever it streams
MOST_JOB_MB = 600  # the process that does an import, whatever it reads


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all below it, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max([own, *(memory_mb(int(child)) for child in children)])


def exported(site, key: str, wanted: dict) -> bytes:
    """The file of an export, asked for and fetched as a department's program does."""
    status, _, body = site.get("/api/layers/harvested/exports", key, method="POST", body=wanted)
    assert status == 202, body
    place = f"/api/exports/{json.loads(body)['job']}"
    told = wait_until(lambda: (found := site.json(place, key))["state"] in {"done", "failed"} and found, 120)
    assert told["state"] == "done", told
    status, _, body = site.get(told["file"], key)
    assert (status, len(body)) == (200, told["size"])
    return body


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
    # A server of its own: what other tests asked of the old one is no part of a harvest.
    site.kill(site.processes[0])
    web, key = site.start_web(), made["key"]
    site.processes.remove(web)
    site.processes[0] = web
    seen, path, most = set(), "/ogc/collections/harvested/items?limit=10000", 0.0
    while path:
        page = site.json(path, key)
        seen.update(feature["id"] for feature in page["features"])
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].removeprefix(site.url) if following else None
        most = max(most, memory_mb(web.pid))
    status, _, body = site.get("/catalogue/harvested/download.geojson", key)
    assert (status, json.loads(body)["code"]) == (413, "ask-for-an-export")
    body = exported(site, key, {"format": "geojson"})
    assert len(json.loads(body)["features"]) == len(seen) == report["written"] == 109_609
    assert max(most, memory_mb(web.pid)) < MOST_MB


def peak_of_jobs(site) -> dict[int, float]:
    """Most resident memory so far of each process of a site that does jobs, MB."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if b"run_jobs" not in (entry / "cmdline").read_bytes():
                continue
            if site.name.encode() not in (entry / "environ").read_bytes():
                continue
            status = (entry / "status").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
        found[int(entry.name)] = int(peak) / 1024
    return found


def points(path, count):
    """A file of numbered points with attributes such as a survey of street furniture has."""
    number = np.arange(count)
    columns = {
        "code": [f"P{one:07d}" for one in number],
        "kind": np.array(["路灯", "井盖", "行道树", "座椅"])[number % 4],
        "height_m": np.round(number % 97 / 10, 1),
    }
    shapes = shapely.points(EAST + number % 1500 * 5.0, NORTH + number // 1500 * 5.0)
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4547).to_file(path, layer="points", use_arrow=True)
    return path


def imported(site, path, layer, *words):
    """The report of an import, and the peak of each process that did jobs meanwhile."""
    given = ["import_layer", str(path), "--layer", layer, "--department", "data", *words, "--json"]
    command = subprocess.Popen(
        site.command(*given), env=site.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    peaks: dict[int, float] = {}

    def ended():
        peaks.update(peak_of_jobs(site))
        return command.poll() is not None

    wait_until(ended, 300, step=0.02)
    return json.loads(command.stdout.read().splitlines()[-1]), peaks


def test_an_import_is_flat_in_memory(site):
    path = points(site.folder / "many.gpkg", 300_000)
    report, peaks = imported(site, path, "points_many", "--key", "code")
    assert report["inserted"] == 300_000
    assert peaks
    assert max(peaks.values()) < MOST_JOB_MB
    again, peaks = imported(site, path, "points_many", "--mode", "replace")
    assert (again["updated"], again["unchanged"]) == (0, 300_000)
    assert max(peaks.values()) < MOST_JOB_MB
