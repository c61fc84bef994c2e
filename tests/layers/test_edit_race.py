"""Many editors at once: one wins, the others are told, nothing is lost, nobody waits for long."""

import json
import subprocess
import threading
import time

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from django.db import connection, transaction

from layers.actions import EditConflict, FeatureEdit, LayerBusy
from layers.actions.locks import take_alone
from layers.models import Change
from tests.conftest import ROOT
from tests.layers.conftest import EAST, NORTH, Racer, race


def raise_floors(land, name, fid, version, floors):
    return land.update(name, fid, version, floors=floors)


def test_of_eight_editors_one_wins_and_seven_are_told(land):
    name = land.lots(1)
    for version in range(1, 7):
        racers = race(raise_floors, [(land, name, 1, version, 10 * version + n) for n in range(8)])
        won = [one for one in racers if one.error is None]
        assert len(won) == 1
        assert won[0].value.versions == (version + 1,)
        assert [type(one.error) for one in racers if one.error] == [EditConflict] * 7
        assert all(one.error.facts["current"] == version + 1 for one in racers if one.error)
        assert land.rows(name, "floors", "version") == [(1, won[0].arguments[4], version + 1)]
    land.sound(name)


def test_eight_programs_at_the_api_one_gets_200_and_seven_412(land):
    name = land.lots(1)
    key = land.key_for("transport", name, "view", "query", "edit")

    def patch(floors):
        body = {"reason": "抢改", "properties": {"floors": floors}}
        path = f"/api/layers/{name}/features/1"
        status, _, answer = land.get(path, key, {"If-Match": '"1"'}, "PATCH", body)
        return status, json.loads(answer)

    answers = [one.value for one in race(patch, [(n,) for n in range(8)])]
    assert sorted(status for status, _ in answers) == [200, *[412] * 7]
    assert {answer["facts"]["current"] for status, answer in answers if status == 412} == {2}
    assert land.state(name).revision == 2


def test_eight_counters_that_try_again_lose_no_count(land):
    name = land.lots(1)
    land.update(name, 1, 1, floors=0)

    def count(times):
        done = 0
        while done < times:
            ((_, floors, version),) = land.rows(name, "floors", "version")
            try:
                land.update(name, 1, version, floors=floors + 1)
            except EditConflict:
                continue
            done += 1
        return done

    assert sum(one.value for one in race(count, [(4,)] * 8)) == 32
    assert land.rows(name, "floors", "version") == [(1, 32, 34)]
    land.sound(name)


def test_edits_of_many_features_in_opposite_orders_never_deadlock(land):
    name = land.lots(6)

    def walk(fids):
        won = 0
        for _ in range(8):
            versions = dict(row[:2] for row in land.rows(name, "version"))
            try:
                land.edit(
                    name,
                    *[FeatureEdit("update", fid, versions[fid], properties={"floors": fid}) for fid in fids],
                )
            except EditConflict:
                continue
            won += 1
        return won

    orders = [(1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1), (3, 1, 6), (6, 1, 3)]
    racers = race(walk, [(order,) for order in orders])
    assert [one.error for one in racers] == [None] * 4
    assert sum(one.value for one in racers) == land.state(name).revision - 1
    land.sound(name)


def test_while_a_bulk_load_has_the_layer_editors_are_told_to_come_back(land):
    name = land.lots(1)
    key = land.key_for("transport", name, "view", "query", "edit")
    with transaction.atomic(), connection.cursor() as cursor:
        take_alone(cursor, land.state(name).pk)
        racer = race(raise_floors, [(land, name, 1, 1, 5)])[0]
        assert isinstance(racer.error, LayerBusy)
        body = {"properties": {"floors": 5}}
        status, headers, _ = land.get(
            f"/api/layers/{name}/features/1", key, {"If-Match": '"1"'}, "PATCH", body
        )
        assert (status, int(headers["Retry-After"]) >= 1) == (503, True)
        assert land.json(f"/ogc/collections/{name}/items?f=json", key)["numberReturned"] == 1  # readers go on
    assert land.update(name, 1, 1, floors=5).revision == 2


ROWS, EDITORS, PAUSE_S, LIMIT_S = 200_000, 20, 0.5, 20.0


def many(path):
    """A file of 200,000 small squares."""
    n = np.arange(ROWS)
    x, y = EAST + n % 500 * 20.0, NORTH + n // 500 * 20.0
    shapes = shapely.to_wkb(shapely.box(x, y, x + 10, y + 10))
    table = pa.table(
        {
            "code": pa.array([f"B{one}" for one in n]),
            "floors": pa.array(n),
            "geom": pa.array(shapes, pa.binary()),
        }
    )
    options = {"geometry_name": "geom", "geometry_type": "Polygon", "crs": "EPSG:4547"}
    pyogrio.write_arrow(table, path, driver="GPKG", layer="many", **options)
    return path


class Editor:
    """Edits a feature of its own twice a second, and writes down what it was answered."""

    def __init__(self, land, layer, key, fid):
        self.land, self.path, self.key, self.fid = land, f"/api/layers/{layer}/features/{fid}", key, fid
        self.version, self.acknowledged, self.answers = 1, [], []

    def work(self, ended):
        until = time.monotonic() + LIMIT_S
        while not ended.is_set() and time.monotonic() < until:
            began = time.monotonic()
            self.once()
            ended.wait(max(0.0, PAUSE_S - (time.monotonic() - began)))
        return self

    def once(self):
        floors = 1000 * self.fid + self.version
        began = time.monotonic()
        status, headers, answer = self.land.get(
            self.path,
            self.key,
            {"If-Match": f'"{self.version}"'},
            "PATCH",
            {"properties": {"floors": floors}},
        )
        self.answers.append((status, time.monotonic() - began, headers.get("Retry-After")))
        if status == 200:
            self.version = json.loads(answer)["versions"][0]
            self.acknowledged.append((self.fid, self.version, floors))


@pytest.mark.alone
@pytest.mark.slow
def test_twenty_editors_beside_a_bulk_append(land, tmp_path, record_property):
    name = land.lots(EDITORS)
    key = land.key_for("transport", name, "view", "query", "edit")
    words = ["import_layer", str(many(tmp_path / "many.gpkg")), "--layer", name, "--department", "data"]
    load = subprocess.Popen(
        [*land.command(*words, "--mode", "append"), "--json"],
        env=land.env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    ended = threading.Event()
    editors = [Racer(Editor(land, name, key, fid).work, ended) for fid in range(1, EDITORS + 1)]
    for one in editors:
        one.start()
    report = json.loads(load.communicate(timeout=120)[0].splitlines()[-1])
    ended.set()
    for one in editors:
        one.join(30)
        assert one.error is None
    assert (report["status"], report["inserted"]) == ("done", ROWS)
    answers = [answer for one in editors for answer in one.value.answers]
    acknowledged = sorted(seconds for status, seconds, _ in answers if status == 200)
    refused = [answer for answer in answers if answer[0] == 503]
    p95 = acknowledged[int(0.95 * len(acknowledged))]
    record_property("p95_ms", round(1000 * p95))
    print(f"{len(acknowledged)} saved, p95 {1000 * p95:.0f} ms, {len(refused)} told to come back")
    assert {status for status, _, _ in answers} <= {200, 503}
    assert all(int(wait) >= 1 for _, _, wait in refused)
    assert max(seconds for _, seconds, _ in answers) < 5.0
    assert len(acknowledged) >= EDITORS
    ledger = {entry for one in editors for entry in one.value.acknowledged}
    field = land.scope(name).field("floors").column
    kept = land.query(
        f"SELECT fid, version, {field} FROM data.{name} WHERE fid <= %s"
        f" UNION ALL SELECT fid, version, {field} FROM history.{name}",
        EDITORS,
    )
    assert ledger <= set(kept)
    assert Change.objects.filter(layer__name=name).count() == len(ledger) + 2
    land.sound(name)
