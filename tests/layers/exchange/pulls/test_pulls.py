"""What is due is fetched, taken like any delivery, and asks when too much has changed."""

import json
import os
import time
from datetime import timedelta

import psycopg2
import pyogrio
import pytest
from django.db import connection
from django.utils import timezone
from psycopg2 import extensions

from layers import catalogue
from layers.exchange.pulls import running
from layers.models import Delivery, Layer, Pull
from process.execution import run_next
from process.models import AuditRecord, Job
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, frame_of, grant, square

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

DOCUMENT = {
    "version": 1,
    "department": "data",
    "mode": "replace",
    "parts": [
        {"source": "wells", "layer": "pulled_wells", "title_zh": "水井", "theme": "base", "key": "code"}
    ],
}


@pytest.fixture
def offices(kept, db):
    made = people.offices()
    layermaking.make_layer("pull_probe", [{"a": 1, "geometry": square(WEST, NORTH)}])
    return made


@pytest.fixture
def root(settings, tmp_path):
    settings.ONEMAP_VAR = tmp_path / "var"
    folder = tmp_path / "survey"
    folder.mkdir()
    settings.ONEMAP_PULL_FOLDERS = {"survey": str(folder)}
    return folder


def wells(folder, count, shift=0.0):
    rows = [
        {"code": f"W{n}", "depth": float(n), "geometry": square(WEST + 500 * n + shift, NORTH)}
        for n in range(count)
    ]
    path = folder / "wells.gpkg"
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame_of(rows), path, layer="wells", driver="GPKG")
    os.utime(path, (time.time() - 3600,) * 2)


def pull_of(offices, **facts):
    told = {"name": "wells", "kind": "folder", "address": "survey:wells.gpkg", "department": offices["data"]}
    return Pull.objects.create(**{**told, "document": DOCUMENT, "created_by": "tests", **facts})


def work():
    """Do every job that waits, and what comes of it, as a worker would."""
    done = []
    while job := Job.objects.filter(state="queued").order_by("pk").first():
        # Inside a test's transaction the database's clock stands still.
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
        assert run_next(job.pk) == job.pk
        job.refresh_from_db()
        done.append(job)
        catalogue._current = None
    return done


def fetched(pull):
    running.enqueue(pull, "tests")
    work()
    pull.refresh_from_db()
    return pull


def test_what_is_due_is_fetched_and_shown(offices, root):
    wells(root, 10)
    pull = pull_of(offices)
    pull_of(offices, name="later", next_at=timezone.now() + timedelta(hours=1))
    pull_of(offices, name="off", enabled=False)
    assert running.start_due() == 1
    assert running.start_due() == 0
    work()
    pull.refresh_from_db()
    assert (pull.last_state, pull.last_delivery.state) == ("delivered", Delivery.State.ACCEPTED)
    assert Layer.objects.get(name="pulled_wells").feature_count == 10
    assert pull.next_at > timezone.now() + timedelta(hours=23)
    fetched(pull)
    assert (pull.last_state, Delivery.objects.count()) == ("unchanged", 1)


def test_a_count_that_jumps_stops_and_asks(offices, root):
    wells(root, 10)
    pull = fetched(pull_of(offices))
    wells(root, 4)
    fetched(pull)
    assert pull.last_delivery.state == Delivery.State.WAITING
    assert [one["code"] for one in pull.last_delivery.questions] == ["count-jumped"]
    assert Layer.objects.get(name="pulled_wells").feature_count == 10
    wells(root, 9)
    before = pull.last_sha256
    fetched(pull)
    assert (pull.last_state, pull.last_sha256, Delivery.objects.count()) == ("waiting", before, 2)


def test_a_failure_is_written_down_and_tried_again(offices, root):
    pull = fetched(pull_of(offices))
    assert pull.last_state == "failed"
    assert "没有可获取的数据" in pull.last_reason
    assert str(root) not in pull.last_reason
    wells(root, 3)
    fetched(pull)
    assert pull.last_state == "delivered"


def test_a_delivery_that_failed_is_fetched_again(offices, root):
    wells(root, 3)
    pull = fetched(pull_of(offices))
    Delivery.objects.filter(pk=pull.last_delivery_id).update(state=Delivery.State.FAILED)
    pull.refresh_from_db()
    first = pull.last_delivery_id
    assert fetched(pull).last_delivery_id != first


def test_a_folder_that_is_written_to_is_tried_again_soon(offices, root):
    wells(root, 3)
    os.utime(root / "wells.gpkg")
    pull = pull_of(offices)
    running.start_due()
    work()
    pull.refresh_from_db()
    assert pull.last_state == "settling"
    assert pull.next_at < timezone.now() + timedelta(minutes=5)


def test_one_source_is_fetched_once_at_a_time(offices, root):
    wells(root, 3)
    pull = pull_of(offices)
    given = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    other = psycopg2.connect(extensions.make_dsn(**{name: given[name] for name in names if given.get(name)}))
    with other.cursor() as cursor:
        number = running.zlib.crc32(b"folder:survey:wells.gpkg") - (1 << 31)
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [running.LOCK_SPACE, number])
        fetched(pull)
    assert (pull.last_state, pull.last_delivery) == ("failed", None)
    other.close()
    assert fetched(pull).last_state == "delivered"


@pytest.fixture
def manager(offices):
    made = people.person("pull_manager", offices["data"], ["keeper"])
    grant(None, "role:keeper", "view,query,download,edit,publish")
    return made


def body(**facts):
    told = {"name": "wells", "kind": "folder", "address": "survey:wells.gpkg", "department": "data"}
    return json.dumps({**told, "document": DOCUMENT, **facts})


def test_a_data_manager_keeps_the_pulls(manager, root):
    wells(root, 3)
    answer = manager.ask("POST", "/api/pulls", body())
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert manager.ask("POST", "/api/pulls", body()).status_code == 409
    run = manager.ask("POST", f"/api/pulls/{made['id']}/run")
    assert run.status_code == 202
    assert manager.ask("POST", f"/api/pulls/{made['id']}/run").json() == run.json()
    assert manager.json(f"/api/jobs/{run.json()['job']}")["state"] == "queued"
    work()
    (listed,) = manager.json("/api/pulls")["pulls"]
    assert (listed["last_state"], listed["last_delivery"]["state"]) == ("delivered", "accepted")
    changed = manager.ask("PUT", f"/api/pulls/{made['id']}", body(every_minutes=60, enabled=False))
    assert (changed.status_code, changed.json()["every_minutes"]) == (200, 60)
    assert Pull.objects.get().last_sha256 != ""
    manager.ask("PUT", f"/api/pulls/{made['id']}", body(address="survey:other.gpkg"))
    assert Pull.objects.get().last_sha256 == ""
    assert manager.ask("DELETE", f"/api/pulls/{made['id']}").status_code == 204
    assert manager.ask("PUT", f"/api/pulls/{made['id']}", body()).status_code == 404
    actions = AuditRecord.objects.filter(object_type="pull").values_list("action", flat=True)
    assert set(actions) == {"pull.add", "pull.change", "pull.run", "pull.remove"}


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"address": "survey:../other"}, 422, "pull-source"),
        ({"kind": "http", "address": "http://127.0.0.1/"}, 403, "address-not-allowed"),
        ({"kind": "database", "address": "x:y.z"}, 422, "pull-source"),
        ({"document": {}}, 422, "profile-wrong"),
        ({"department": "nowhere"}, 404, "no-such-department"),
        ({"every_minutes": 1}, 400, "invalid-request"),
        ({"most_changed": 2}, 400, "invalid-request"),
        ({"more": 1}, 400, "invalid-request"),
        ({"kind": "ftp"}, 400, "invalid-request"),
    ],
)
def test_a_pull_that_could_not_work_is_refused(manager, root, facts, status, code):
    answer = manager.ask("POST", "/api/pulls", body(**facts))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Pull.objects.exists()


def test_nobody_else_sees_them(offices, root):
    pull = pull_of(offices)
    for caller in (people.Caller("public"), people.program(offices["data"]), people.person("pull_nobody")):
        for method, path in (
            ("GET", "/api/pulls"),
            ("POST", "/api/pulls"),
            ("PUT", f"/api/pulls/{pull.pk}"),
            ("DELETE", f"/api/pulls/{pull.pk}"),
            ("POST", f"/api/pulls/{pull.pk}/run"),
        ):
            answer = caller.ask(method, path, body() if method in {"POST", "PUT"} else None)
            assert answer.status_code == 403, (method, path)
    assert Pull.objects.get() == pull
