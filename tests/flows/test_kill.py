"""Workers, web servers and connections end without a word, while Lin imports and others edit."""

import json
import os
import threading
import time

import pytest

from tests.conftest import wait_until
from tests.flows.conftest import acknowledged, edited_layer, edits_during, kill_tree, reading
from tests.layers.conftest import Racer

pytestmark = pytest.mark.slow

KILLED = """
import json
from pathlib import Path
from layers.exchange.imports import import_now
from layers.exchange.options import ImportOptions
from process.models import Job
from tests.flows.dying import at, without_boot
without_boot()
for point in (1, 2, 3, 4, 5):
    at(f"import_layer:{point}")
    told = ImportOptions(layer="killed", title="killed", department="data", mode="replace", key="code")
    report = import_now(Path(PATH), told)
    job = Job.objects.latest("pk")
    print(json.dumps([point, report, job.state, job.attempts, job.reason]))
"""


@pytest.fixture(scope="module")
def killed(doomed):
    """Imports killed at each of their steps: what came of them, and what readers saw meanwhile."""
    assert doomed.manage(*doomed.words(doomed.package("old", "old"), "killed"))[0] == 0
    seen, ended = [], threading.Event()

    def watch():
        connection, text = doomed.connect(), doomed.tag_counts("killed")
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not ended.wait(0.02):
                cursor.execute(text)
                seen.append(tuple(sorted(cursor.fetchall())))
        connection.close()

    watcher = Racer(watch)
    watcher.start()
    told = doomed.shell(KILLED.replace("PATH", repr(str(doomed.package("new", "new", 500)))))
    ended.set()
    watcher.join(10)
    assert watcher.error is None
    return [json.loads(line) for line in told.splitlines()], seen


def test_an_import_killed_before_its_commit_fails_with_a_reason(killed):
    for _, report, state, attempts, reason in killed[0][:4]:
        assert (state, attempts, report["status"]) == ("failed", 3, "failed")
        assert reason
        assert report["reason"] == reason


def test_an_import_killed_after_its_commit_is_done(doomed, killed):
    _, report, state, attempts, _ = killed[0][4]
    assert (state, attempts, report["status"], report["written"]) == ("done", 1, "done", 500)
    assert (report["updated"], report["inserted"], report["revision"]) == (400, 100, 2)
    doomed.sound("killed")


def test_readers_saw_the_old_layer_or_the_new_one_never_a_mix(doomed, killed):
    old, new = (("old", 400),), (("new", 500),)
    assert set(killed[1]) <= {old, new}
    assert killed[1][0] == old
    assert killed[1] == sorted(killed[1], key=lambda one: one == new)
    assert doomed.tags("killed") == {"new": 500}


def test_what_the_killed_left_behind_is_swept(doomed, killed):
    incoming = doomed.folder / "incoming"
    folders = list(incoming.iterdir())
    assert len(folders) >= 4
    for folder in folders:
        os.utime(folder, (time.time() - 7200,) * 2)
    doomed.shell("from layers.exchange.sweeping import sweep_staging; sweep_staging()")
    assert (doomed.staged(), list(incoming.iterdir())) == (0, [])


def test_a_worker_killed_during_an_import(doomed):
    path = doomed.package("many", "many", 40_000)
    doomed.start_web()
    worker = doomed.start_worker()
    load = doomed.begin(path, "by_worker")
    wait_until(lambda: doomed.query("SELECT 1 FROM process_job WHERE arguments::text LIKE '%%by_worker%%'"))
    wait_until(lambda: reading(doomed), step=0.02)
    kill_tree(doomed, worker)
    assert doomed.query("SELECT count(*) FROM layers_layer WHERE name = 'by_worker'") == [(0,)]
    doomed.query("UPDATE process_worker SET heartbeat_at = now() - interval '1 hour'")
    report = doomed.report(load)
    assert (report["status"], report["inserted"]) == ("done", 40_000)
    assert doomed.last_job()[:2] == ("done", 2)
    doomed.sound("by_worker")


def test_a_connection_cut_during_an_import(doomed):
    path = doomed.package("many", "many", 40_000)
    load = doomed.begin(path, "by_cut")
    wait_until(lambda: doomed.query("SELECT 1 FROM process_job WHERE arguments::text LIKE '%%by_cut%%'"))
    wait_until(lambda: reading(doomed), step=0.02)
    assert doomed.cut("query LIKE 'COPY%%' OR state <> 'idle'") >= 1
    report = doomed.report(load)
    assert (report["status"], report["inserted"]) == ("done", 40_000)
    assert doomed.last_job()[1] >= 2
    doomed.sound("by_cut")


@pytest.fixture(scope="module")
def edited(doomed):
    return edited_layer(doomed, "edited")


def test_a_web_server_killed_during_edits(doomed, edited):
    def harm(editors):
        for _ in range(2):
            acknowledged(editors, 12)
            web = next(one for one in doomed.processes if one.poll() is None and "granian" in str(one.args))
            kill_tree(doomed, web)
            doomed.start_web()

    assert edits_during(doomed, "edited", edited, harm) <= {200, 412, 503}


def test_connections_cut_during_edits(doomed, edited):
    def harm(editors):
        for _ in range(6):
            acknowledged(editors, 8)
            doomed.cut()

    assert edits_during(doomed, "edited", edited, harm, first=21) <= {200, 412, 503}
