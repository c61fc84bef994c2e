"""A site whose parts get killed, and editors who write down what they were promised."""

import json
import os
import signal
import subprocess
import threading
from http.client import HTTPException
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.conftest import ROOT, Site, wait_until
from tests.layers.conftest import EAST, NORTH, Racer

EDITORS = 6


class Doomed(Site):
    """A site whose parts get killed."""

    def package(self, name, tag, count=400):
        """A file of numbered squares that all bear one tag."""
        path, n = self.folder / f"{name}.gpkg", np.arange(count)
        x, y = EAST + n % 200 * 20.0, NORTH + n // 200 * 20.0
        columns = {"code": [f"K{one}" for one in n], "tag": tag, "floors": 1}
        frame = gpd.GeoDataFrame(columns, geometry=shapely.box(x, y, x + 10, y + 10), crs=4547)
        frame.to_file(path, driver="GPKG", layer="delivery")
        return path

    def words(self, path, layer, mode="create"):
        return [
            "import_layer",
            str(path),
            "--layer",
            layer,
            "--department",
            "data",
            "--mode",
            mode,
            "--key",
            "code",
        ]

    def begin(self, path, layer, mode="create"):
        """Start an import by command; the process."""
        command = [*self.command(*self.words(path, layer, mode)), "--json"]
        process = subprocess.Popen(
            command,
            env=self.env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def report(self, process):
        return json.loads(process.communicate(timeout=120)[0].splitlines()[-1])

    def tag_counts(self, layer):
        """The question how many features bear each tag."""
        ((column,),) = self.query(
            'SELECT f."column" FROM layers_field AS f JOIN layers_layer AS l ON l.id = f.layer_id'
            " WHERE l.name = %s AND f.name = 'tag'",
            layer,
        )
        return f"SELECT {column}, count(*) FROM data.{layer} GROUP BY 1"

    def tags(self, layer):
        """How many features bear each tag."""
        return dict(self.query(self.tag_counts(layer)))

    def staged(self):
        return self.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'")[0][0]

    def last_job(self):
        """State, attempts, reason and progress of the newest job."""
        return self.query(
            "SELECT state, attempts, reason, progress FROM process_job ORDER BY id DESC LIMIT 1"
        )[0]

    def cut(self, of="true"):
        """End the site's database sessions, all or those of one kind."""
        return len(
            self.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                # Its own sessions: the server's helpers (autovacuum) are not this login's to end.
                f" AND usename = current_user AND backend_type = 'client backend' AND ({of})"
            )
        )

    def sound(self, layer):
        """Assert that feed, revision, count and history of a layer agree."""
        ((revision, count),) = self.query(
            "SELECT revision, feature_count FROM layers_layer WHERE name = %s", layer
        )
        changes = self.query(
            "SELECT c.revision FROM layers_change AS c JOIN layers_layer AS l ON l.id = c.layer_id"
            " WHERE l.name = %s ORDER BY c.at",
            layer,
        )
        assert [one for (one,) in changes] == list(range(1, revision + 1))
        assert self.query(f"SELECT count(*) FROM data.{layer}") == [(count,)]
        assert self.query(f"SELECT count(*) FROM history.{layer} WHERE rev_from >= rev_to") == [(0,)]


def descendants(pid):
    """The processes below a process, from the system's own table."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    below = {pid}
    for _ in range(6):
        below |= {child for child, parent in parents.items() if parent in below}
    return below - {pid}


def reading(site):
    """Whether an import is in the middle of its work."""
    state, _, _, progress = site.last_job()
    return state == "running" and progress > 0.02


def kill_tree(site, process):
    """End a process and all below it at once, its children in sessions of their own too."""
    below = descendants(process.pid)
    site.kill(process)
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture(scope="module")
def doomed(tmp_path_factory, peopled):
    folder = tmp_path_factory.mktemp("doomed")
    one = Doomed(folder, f"onemap_doomed_{os.getpid()}")
    one.copy(peopled)
    yield one
    one.stop()
    one.drop()


class Editor:
    """Changes a feature of its own again and again; what was acknowledged is in its ledger."""

    def __init__(self, site, layer, key, fid):
        self.site, self.path, self.key, self.fid = site, f"/api/layers/{layer}/features/{fid}", key, fid
        self.version, self.count, self.ledger, self.statuses = 1, 0, [], set()

    def work(self, ended):
        while not ended.is_set():
            try:
                self.once()
            except (OSError, HTTPException):  # nobody there, or gone in the middle of an answer
                ended.wait(0.05)
        return self

    def once(self):
        self.count += 1
        floors = 10_000 * self.fid + self.count
        headers = {"If-Match": f'"{self.version}"'}
        status, _, body = self.site.get(
            self.path, self.key, headers, "PATCH", {"properties": {"floors": floors}}
        )
        self.statuses.add(status)
        if status == 200:
            self.version = json.loads(body)["versions"][0]
            self.ledger.append((self.fid, self.version, floors))
        elif status == 412:  # an answer was lost on the way: what it said was done
            self.version = json.loads(body)["facts"]["current"]


def edits_during(site, layer, key, harm, first=1):
    """Let editors work while harm is done; then compare their ledgers with what is stored."""
    ended = threading.Event()
    editors = [Racer(Editor(site, layer, key, fid).work, ended) for fid in range(first, first + EDITORS)]
    for one in editors:
        one.start()
    try:
        harm(editors)
        settled = sum(len(one.function.__self__.ledger) for one in editors)
        wait_until(
            lambda: sum(len(one.function.__self__.ledger) for one in editors) > settled + 2 * EDITORS, 60
        )
    finally:
        ended.set()
    for one in editors:
        one.join(60)
        assert one.error is None
    ((column,),) = site.query(
        'SELECT f."column" FROM layers_field AS f JOIN layers_layer AS l ON l.id = f.layer_id'
        " WHERE l.name = %s AND f.name = 'floors'",
        layer,
    )
    kept = set(
        site.query(
            f"SELECT fid, version, {column} FROM data.{layer}"
            f" UNION ALL SELECT fid, version, {column} FROM history.{layer}"
        )
    )
    ledger = {entry for one in editors for entry in one.value.ledger}
    assert ledger <= kept
    assert len(ledger) >= 3 * EDITORS
    site.sound(layer)
    return set().union(*(one.value.statuses for one in editors))


def acknowledged(editors, count):
    """Wait until the editors have so many more acknowledged changes."""
    before = sum(len(one.function.__self__.ledger) for one in editors)
    wait_until(lambda: sum(len(one.function.__self__.ledger) for one in editors) >= before + count, 60)


def edited_layer(site, layer):
    """A layer of fifty squares, and the key of a program of the transport department that edits it."""
    assert site.manage(*site.words(site.package("old", "old", 50), layer))[0] == 0
    code, answer = site.manage(
        "grant", "--layer", layer, "--to", "department:transport", "--actions", "view,query,edit"
    )
    assert code == 0, answer
    if not site.answers():
        site.start_web()
    return site.manage("service_key", "create", "--department", "transport", "--name", "desk")[1]["key"]
