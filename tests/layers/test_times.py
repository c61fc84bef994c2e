"""The past answers the same for ever, whatever is going on while it is asked."""

import json
import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from layers.actions import FeatureEdit, LayerBusy
from layers.moments import BadMoment, Moment, parse_moment
from tests.layers.conftest import Racer, square


def slow_edits(land, name, fid, ended):
    """Edit one feature again and again; every transaction stays open a while after its time was taken."""
    version = 1
    while not ended.is_set():
        try:
            with transaction.atomic():
                land.update(name, fid, version, floors=version)
                ended.wait(0.03)
        except LayerBusy:
            ended.wait(0.02)
            continue
        version += 1
    return version - 1


def ask(land, name, ended):
    """Ask for moments just past, and write down the first answer."""
    layer, asked = land.scope(name).layer, []
    while not ended.is_set():
        for age in (0.0, 0.01, 0.05):
            text = (timezone.now() - timedelta(seconds=age)).isoformat()
            revision = parse_moment(layer, text, None).revision
            asked.append((text, revision, land.rows(name, "floors", "version", moment=Moment(revision))))
    return asked


def watch(name, layer_id, ended):
    """At any moment the changes that can be seen are the first n, without a gap, in the order of their times."""
    seen = 0
    while not ended.is_set():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), max(revision), bool_and(at > before) FROM (SELECT revision, at,"
                " lag(at, 1, '-infinity') OVER (ORDER BY revision) AS before FROM layers_change WHERE layer_id = %s)"
                " AS ordered",
                [layer_id],
            )
            count, newest, ascending = cursor.fetchone()
            cursor.execute(f"SELECT count(*) FROM history.{name} WHERE rev_from >= rev_to")
            assert (count, ascending, cursor.fetchone()) == (newest, True, (0,))
        seen += 1
    return seen


def test_as_of_a_past_time_answers_the_same_for_ever(land):
    name, ended = land.lots(4), threading.Event()
    layer = land.scope(name).layer
    writers = [Racer(slow_edits, land, name, fid, ended) for fid in (1, 2, 3)]
    readers = [Racer(ask, land, name, ended) for _ in range(2)]
    watcher = Racer(watch, name, layer.id, ended)
    for one in (*writers, *readers, watcher):
        one.start()
    ended.wait(1.5)
    land.deliver(name, [(square(n, 200), {"code": "B", "floors": n}) for n in range(500)], mode="append")
    ended.wait(1.0)
    ended.set()
    for one in (*writers, *readers, watcher):
        one.join(30)
        assert one.error is None
    asked = [entry for one in readers for entry in one.value]
    assert len({revision for _, revision, _ in asked}) > 5
    assert watcher.value > 5
    for text, revision, rows in asked:
        assert parse_moment(layer, text, None).revision == revision
        assert land.rows(name, "floors", "version", moment=Moment(revision)) == rows
    assert land.state(name).revision == 2 + sum(one.value for one in writers)
    land.sound(name)


def test_the_door_gives_the_same_bytes_for_a_past_time(land):
    name = land.lots(3)
    key = land.key_for("transport", name, "view", "query")
    then = timezone.now().isoformat().replace("+", "%2B")

    def shown():
        answer = land.json(f"/ogc/collections/{name}/items?f=json&as-of={then}", key)
        return json.dumps(answer["features"])

    first = shown()
    land.edit(
        name,
        FeatureEdit("insert", geometry=square(90), properties={"code": "N", "floors": 1}),
        FeatureEdit("delete", 1, 1),
    )
    land.update(name, 2, 1, floors=77)
    assert shown() == first
    assert len(land.json(f"/ogc/collections/{name}/items?f=json", key)["features"]) == 3
    assert land.json(f"/ogc/collections/{name}/items?f=json&as-of=rev:1", key)["numberReturned"] == 3


def test_both_times_in_the_door(land):
    name = land.lots(2, valid_time=True, valid_from="2024-01-01")
    key = land.key_for("transport", name, "view", "query")
    land.edit(name, FeatureEdit("update", 1, 1, properties={"floors": 50}, since=date(2025, 1, 1)))

    def floors(**asked):
        words = "&".join(f"{word.replace('_', '-')}={value}" for word, value in asked.items())
        features = land.json(f"/ogc/collections/{name}/items?f=json&{words}", key)["features"]
        return [one["properties"]["floors"] for one in features if one["id"] == 1]

    assert floors() == [50]
    assert floors(datetime="2024-06-01") == [1]
    assert floors(datetime="2025-01-01") == [50]
    assert floors(datetime="2025-01-01", as_of="rev:1") == [1]
    assert floors(datetime="2024-01-01/..") == [1, 50]
    assert floors(datetime="../2023-12-31") == []
    assert floors(as_of="2000-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rev:",
        "rev:-1",
        "rev:x",
        "yesterday",
        "2024-13-01T00:00:00Z",
        "2024-01-01",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_time_that_cannot_be_read(land, text):
    layer = land.scope(land.lots(1)).layer
    with pytest.raises(BadMoment):
        parse_moment(layer, text, None)


def test_a_question_about_this_moment_waits_for_the_change_that_is_just_being_saved(land):
    name = land.lots(1)
    layer = land.scope(name).layer
    with transaction.atomic():
        land.update(name, 1, 1, floors=9)
        asked = (timezone.now() + timedelta(milliseconds=1)).isoformat()
        reader = Racer(parse_moment, layer, asked, None)
        old = Racer(parse_moment, layer, "2000-01-01T00:00:00Z", None)
        reader.start()
        old.start()
        old.join(10)
        assert old.value.revision == 0
        reader.join(0.3)
        assert reader.is_alive()
    reader.join(10)
    assert reader.value.revision == 2
