"""Deliveries that are killed at each of their steps, raced and left behind: readers see all of one or nothing."""

import json
import threading

import pytest
import rasterio

from layers.actions.locks import LOCK_SPACE
from tests.conftest import wait_until
from tests.delivering import ANSWERS, document, land, people, write
from tests.flows.conftest import kill_tree
from tests.layers.conftest import Racer

pytestmark = pytest.mark.slow

LAYERS = ("dv_dltb", "dv_rk", "dv_xzq")
POINTS = [f"check_delivery:{n}" for n in range(1, 6)] + [f"accept_delivery:{n}" for n in range(1, 5)]
AFTER = "accept_delivery:5"
REVISIONS = (
    "SELECT l.name, l.revision, l.feature_count, count(v.id), max(v.rev_from)"
    " FROM layers_layer AS l LEFT JOIN layers_rasterversion AS v ON v.layer_id = l.id AND v.rev_to IS NULL"
    " WHERE l.name LIKE 'dv\\_%' GROUP BY l.id ORDER BY l.name"
)


def survey(folder, year):
    """The delivery of a year: of the second one a use and a number of people are others."""
    frame, table = land(), people(land())
    if year == "2026":
        frame.loc[2, ["DLBM", "DLMC"]] = ["1401", "公园绿地"]
        table.loc[3, "RKS"] = 999
    written = write(folder / year, frame, table)
    if year == "2026":
        with rasterio.open(written / "DEM.tif", "r+") as ground:
            ground.write(ground.read(1) + 1, 1)
    return written


class Watch:
    """Someone who looks at all four layers again and again, each time at one moment."""

    def __init__(self, site):
        self.site, self.seen, self.ended = site, [], threading.Event()
        self.racer = Racer(self.work)

    def __enter__(self):
        self.racer.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.racer.join(10)
        assert self.racer.error is None

    def work(self):
        connection = self.site.connect()
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        while not self.ended.wait(0.02):
            with connection, connection.cursor() as cursor:
                self.seen.append(look(cursor))
        connection.close()


def look(cursor):
    """What one snapshot holds: revisions and counts as told, and rows as they are."""
    cursor.execute(REVISIONS)
    told = tuple(cursor.fetchall())
    if not told:
        return told, ()
    columns = {
        name: column_of(cursor, name, field) for name, field in (("dv_dltb", "DLBM"), ("dv_rk", "RKS"))
    }
    cursor.execute(
        f"SELECT (SELECT count(*) FROM data.dv_xzq), (SELECT count(*) FROM data.dv_dltb),"
        f" (SELECT count(*) FROM data.dv_dltb WHERE {columns['dv_dltb']} = '1401'),"
        f" (SELECT sum({columns['dv_rk']})::integer FROM data.dv_rk), (SELECT count(*) FROM layers_change)"
    )
    return told, cursor.fetchone()


def column_of(cursor, layer, field):
    cursor.execute(
        'SELECT f."column" FROM layers_field AS f JOIN layers_layer AS l ON l.id = f.layer_id'
        " WHERE l.name = %s AND f.name = %s",
        [layer, field],
    )
    return cursor.fetchone()[0]


class Killed:
    """What came of a delivery that was killed at every point, and what was seen meanwhile."""

    def __init__(self, site, year, attempts):
        self.attempts = attempts
        folder = survey(site.folder, year)
        with Watch(site) as watch:
            told = site.shell(
                "from tests.flows.dying import deliver\n"
                f"deliver({str(folder)!r}, {POINTS}, {AFTER!r}, attempts={attempts})"
            )
            wait_until(lambda: len(watch.seen) and watch.seen[-1] != watch.seen[0])
        self.seen, lines = watch.seen, [json.loads(line) for line in told.splitlines()]
        *self.parked, self.done = lines


@pytest.fixture(scope="module")
def first(doomed):
    return Killed(doomed, "2025", attempts=1)


@pytest.fixture(scope="module")
def second(doomed, first):
    return Killed(doomed, "2026", attempts=1)


@pytest.fixture(params=["first", "second"])
def killed(request):
    return request.getfixturevalue(request.param)


def test_a_delivery_killed_before_its_commit_fails_with_a_reason(killed):
    assert [one["point"] for one in killed.parked] == POINTS
    for one in killed.parked:
        kind, state, attempts, reason = one["job"]
        assert (kind, state, attempts) == (one["point"].partition(":")[0], "failed", killed.attempts)
        assert one["lost"] and one["report"]["status"] == "failed"
        assert reason and one["report"]["reason"] == reason


def test_one_that_was_lost_is_taken_up_again(killed):
    assert (killed.done["state"], killed.done["report"]["status"]) == ("accepted", "done")
    assert killed.done["job"][:3] == ["accept_delivery", "done", 1]
    assert killed.done["report"]["delivery"] == killed.parked[-1]["report"]["delivery"]


def test_readers_saw_nothing_and_then_all_of_it(first):
    told = [("dv_dem", 1, 0, 1, 1), ("dv_dltb", 1, 16, 0, None), ("dv_rk", 1, 16, 0, None)]
    told.append(("dv_xzq", 1, 1, 0, None))
    nothing, everything = ((), ()), (tuple(told), (1, 16, 4, sum(range(100, 116)), 4))
    assert set(first.seen) == {nothing, everything}
    assert first.seen == sorted(first.seen, key=lambda one: one == everything)


def test_next_year_readers_saw_the_old_survey_and_then_the_new_one(doomed, first, second):
    old, new = first.seen[-1], second.seen[-1]
    assert set(second.seen) == {old, new}
    assert second.seen == sorted(second.seen, key=lambda one: one == new)
    assert [line[1] for line in new[0]] == [2, 2, 2, 2]
    assert new[1] == (1, 16, 5, sum(range(100, 116)) - 103 + 999, 8)
    for name in LAYERS:
        doomed.sound(name)
    assert doomed.query("SELECT count(*) FROM history.dv_dltb") == [(1,)]
    assert doomed.query("SELECT count(*) FROM history.dv_rk") == [(1,)]


def test_by_command_and_with_children_started_anew(doomed, second):
    words = delivery_words(doomed, "2027")
    with Watch(doomed) as watch:
        code, report = doomed.manage(*words, env={"FAIL_AT": "check_delivery:5"})
        assert (code, report["status"], report["state"]) == (1, "failed", "checking")
        assert doomed.last_job()[:2] == ("failed", 3)
    assert set(watch.seen) == {second.seen[-1]}


def delivery_words(site, year):
    """The command that imports the delivery of a year."""
    folder, told = survey(site.folder, year), site.folder / "profile.json"
    told.write_text(json.dumps(document()))
    words = ["import_delivery", str(folder), "--profile", str(told), "--source-crs", ANSWERS["source_crs"]]
    return [*words, "--encoding", ANSWERS["encoding"], "--name", year]


def state_of(site, name):
    return site.query("SELECT state FROM layers_delivery WHERE name = %s ORDER BY id DESC LIMIT 1", name)[0][
        0
    ]


def waits_for_a_lock(site):
    return site.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


HELD = {
    "checking": "LOCK TABLE layers_deliveryfinding IN ACCESS EXCLUSIVE MODE",
    "accepting": f"SELECT pg_advisory_xact_lock_shared({LOCK_SPACE}, id::integer)"
    " FROM layers_layer WHERE name = 'dv_rk'",
}


SENT = """
from pathlib import Path
from layers.exchange.deliveries import flow
from tests.delivering import ANSWERS, document
flow.start_delivery(
    Path(FOLDER), document(), name=NAME, department="data", actor="user:lin", answers=ANSWERS, auto_accept=True
)
"""


def test_a_worker_killed_during_the_check_and_during_the_acceptance(doomed, second):
    """It is held up there, ended with all its children; what is started in its place brings both to an end."""
    folder = survey(doomed.folder, "2028")
    if not doomed.answers():
        doomed.start_web()
    doomed.shell(SENT.replace("FOLDER", repr(str(folder))).replace("NAME", repr("2028")))
    with Watch(doomed) as watch:
        for state, lock in HELD.items():
            with doomed.connect() as holding, holding.cursor() as cursor:
                cursor.execute(lock)
                worker = doomed.start_worker()
                wait_until(lambda: waits_for_a_lock(doomed), 60)
                assert state_of(doomed, "2028") == state
                kill_tree(doomed, worker)
        worker = doomed.start_worker()
        wait_until(lambda: state_of(doomed, "2028") == "accepted", 90)
        wait_until(lambda: [line[1] for line in watch.seen[-1][0]] == [3, 3, 3, 3])
    doomed.kill(worker)
    assert set(watch.seen) == {second.seen[-1], watch.seen[-1]}
    assert watch.seen[-1][1][:4] == (1, 16, 4, sum(range(100, 116)))
    assert doomed.last_job()[:2] == ("done", 2)
    for name in LAYERS:
        doomed.sound(name)


def test_what_the_killed_left_behind_is_swept_and_open_deliveries_keep_theirs(doomed, second):
    folder = survey(doomed.folder, "2029")
    doomed.shell(SENT.replace("FOLDER", repr(str(folder))).replace("NAME", repr("2029")) + SWEEP)
    (lost,) = doomed.query("SELECT id, folder, token FROM layers_delivery WHERE name = '2027'")
    (sent,) = doomed.query("SELECT id, folder, token FROM layers_delivery WHERE name = '2029'")
    assert doomed.query("SELECT state FROM layers_delivery WHERE id = %s", lost[0]) == [("failed",)]
    assert {path.name for path in (doomed.folder / "incoming").iterdir()} == {
        lost[1],
        f"{lost[1]}-unpacked",
        sent[1],
    }
    assert staged_tokens(doomed) == {lost[2]}
    doomed.query("UPDATE layers_delivery SET sent_at = sent_at - interval '31 days' WHERE id = %s", lost[0])
    doomed.query("UPDATE process_job SET finished_at = finished_at - interval '31 days'")
    doomed.shell(SWEEP)
    assert doomed.query("SELECT state FROM layers_delivery WHERE id = %s", lost[0]) == [("withdrawn",)]
    assert [path.name for path in (doomed.folder / "incoming").iterdir()] == [sent[1]]
    assert staged_tokens(doomed) == set()


# Received files look as if they came two hours ago.
SWEEP = """
import os, time
from layers.exchange.deliveries import flow
from layers.exchange.sweeping import sweep_staging
for folder in flow.incoming().iterdir():
    os.utime(folder, (time.time() - 7200,) * 2)
sweep_staging()
"""


def staged_tokens(site):
    return {
        name.split("_")[1]
        for (name,) in site.query("SELECT tablename FROM pg_tables WHERE schemaname = 'staging'")
    }


ROUNDS = 10


def test_two_people_accept_two_deliveries_for_the_same_layers_at_once(doomed):
    """One is published; the other is checked again, accepted again, and published after it."""
    told = doomed.shell(f"from tests.flows.dying import race; race({str(doomed.folder)!r}, {ROUNDS})")
    rounds = [json.loads(line) for line in told.splitlines()]
    assert len(rounds) == ROUNDS
    for one in rounds:
        assert sorted(one["states"]) == ["accepted", "checked"]
        assert (one["moved_on"], one["attempts"], one["then"]) == (["layer-moved-on"], [1, 1], "accepted")
    assert doomed.query(
        "SELECT name, revision FROM layers_layer WHERE name LIKE 'race\\_%%' ORDER BY name"
    ) == [("race_rk", 2 * ROUNDS), ("race_xzq", 2 * ROUNDS)]
    assert doomed.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]
    for name in ("race_rk", "race_xzq"):
        doomed.sound(name)
