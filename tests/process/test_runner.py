"""Jobs are done once, whatever dies."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as site
from django.db import connection
from django.db.models.functions import Now

from process import runner
from process.children import ChildGone, database_url
from process.context import LOCK_SPACE
from process.jobs import enqueue, request_cancel
from process.models import Job, State, Worker
from process.runner import free_jobs, new_child, run_or_wait, supervise
from tests.process.conftest import Thread, step_of, until, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def never():
    return None


def holder(job):
    """The database process that holds the job's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s::bigint::oid AND objid = %s::bigint::oid",
            [LOCK_SPACE, job.pk],
        )
        row = cursor.fetchone()
        return row and row[0]


def cut(job):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [holder(job)])


def start_worker(*options):
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker", *options],
        cwd=site.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url()},
    )


@pytest.fixture
def worker():
    process = start_worker("--slots", "2", "--patience", "0")
    until(Worker.objects.exists)
    yield process
    process.kill()
    process.wait()


def children_of(pid):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in listed.stdout.split()]


def gone(pids):
    return not any(os.path.exists(f"/proc/{pid}") and not zombie(pid) for pid in pids)


def zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_command_does_its_job_itself_where_no_worker_is():
    job = run_or_wait(enqueue("work", {"number": 7}, created_by="user:lin"))
    assert (job.state, job.result, job.attempts, job.progress) == ("done", {"worked": 7}, 1, 1.0)
    assert worked(job) == 1


@pytest.mark.parametrize("point", [1, 2, 3])
def test_killed_before_the_commit_nothing_is_published_and_the_job_parked_after_three_tries(
    monkeypatch, point
):
    monkeypatch.setenv("FAIL_AT", f"steps:{point}")
    job = run_or_wait(enqueue("steps", {}, created_by="user:lin"))
    assert (job.state, job.attempts, job.result["code"]) == ("failed", 3, "worker-lost")
    assert job.reason == "the process that did the job was lost"
    assert worked(job) == 0


def test_killed_after_the_commit_the_job_is_done():
    job = enqueue("steps", {}, created_by="user:lin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIL_AT", "steps:4")
        run_or_wait(job)
    assert (job.state, job.attempts, worked(job)) == ("done", 1, 1)


def test_killed_once_the_next_try_does_it(monkeypatch):
    job = enqueue("steps", {}, created_by="user:lin")
    monkeypatch.setenv("FAIL_AT", "steps:2")
    with new_child() as child:
        assert supervise(child, job.pk, never) == job.pk
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 1)
    monkeypatch.delenv("FAIL_AT")
    run_or_wait(job)
    assert (job.state, job.attempts, worked(job)) == ("done", 2, 1)


@pytest.mark.parametrize("kind", ["gated", "swallows_the_cut"])
def test_a_cut_connection_cannot_commit_and_the_next_try_does_it(tmp_path, kind):
    gate = tmp_path / "gate"
    job = enqueue(kind, {"gate": str(gate)}, created_by="user:lin")
    running = Thread(run_or_wait, job)
    running.start()
    until(lambda: step_of(job) == "at the gate")
    cut(job)
    gate.touch()
    running.result()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == ("done", 2, {"worked": 2})
    assert worked(job) == 1


def test_a_process_that_slept_through_its_jobs_second_try_cannot_commit(tmp_path):
    gate = tmp_path / "gate"
    job = enqueue("gated", {"gate": str(gate)}, created_by="user:lin")
    with new_child() as sleeper, new_child() as other:
        sleeping = Thread(supervise, sleeper, job.pk, never)
        sleeping.start()
        until(lambda: step_of(job) == "at the gate")
        os.kill(sleeper.process.pid, signal.SIGSTOP)
        cut(job)
        until(lambda: free_jobs(job_id=job.pk))
        gate.touch()
        assert supervise(other, job.pk, never) == job.pk
        os.kill(sleeper.process.pid, signal.SIGCONT)
        sleeping.result()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == ("done", 2, {"worked": 2})
    assert worked(job) == 1


def test_the_sweep_leaves_a_job_alone_while_its_process_lives(tmp_path):
    gate = tmp_path / "gate"
    job = enqueue("gated", {"gate": str(gate)}, created_by="user:lin")
    with new_child() as child:
        running = Thread(supervise, child, job.pk, never)
        running.start()
        until(lambda: step_of(job) == "at the gate")
        assert free_jobs() == 0
        gate.touch()
        running.result()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 1)


def drain(done):
    with new_child() as child:
        while (taken := supervise(child, None, never)) is not None:
            done.append(taken)


def test_two_runners_never_do_one_job_twice():
    made = [enqueue("work", {"number": number}, created_by="user:lin") for number in range(40)]
    first, second = [], []
    threads = [Thread(drain, first), Thread(drain, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.result()
    assert sorted(first + second) == [job.pk for job in made]
    assert [worked(job) for job in made] == [1] * 40
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}


def test_one_poison_job_among_a_hundred_good_ones(worker):
    poison = enqueue("poison", {}, created_by="user:wang")
    good = [enqueue("work", {"number": number}, created_by="user:lin") for number in range(100)]
    until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists(), 90)
    poison.refresh_from_db()
    assert (poison.state, poison.attempts, poison.result["code"]) == ("failed", 3, "worker-lost")
    assert [worked(job) for job in good] == [1] * 100


def test_a_worker_told_to_stop_hands_its_job_back_and_leaves_nothing(worker):
    job = enqueue("deaf", {}, created_by="user:lin")
    until(lambda: step_of(job) == "not listening")
    children = children_of(worker.pid)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts, job.reason) == ("queued", 0, "")
    assert children and gone(children)
    assert not Worker.objects.exists()


def test_a_killed_worker_takes_its_children_along_and_a_command_goes_on_by_itself(worker, tmp_path):
    gate = tmp_path / "gate"
    job = enqueue("gated", {"gate": str(gate)}, created_by="user:lin")
    waiting = Thread(run_or_wait, job)
    waiting.start()
    until(lambda: step_of(job) == "at the gate")
    children = children_of(worker.pid)
    worker.kill()
    worker.wait()
    until(lambda: gone(children))
    gate.touch()
    waiting.result()
    job.refresh_from_db()
    assert (job.state, job.attempts, worked(job)) == ("done", 2, 1)


def test_a_worker_goes_on_after_the_database_dropped_all_its_connections(worker):
    first = enqueue("work", {}, created_by="user:lin")
    until(lambda: worked(first))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user AND backend_type = 'client backend'"
        )
        assert cursor.fetchone()[0] >= 3
    beaten = Worker.objects.get().heartbeat_at
    second = enqueue("work", {}, created_by="user:lin")
    until(lambda: worked(second))
    until(lambda: Worker.objects.get().heartbeat_at > beaten)
    assert worker.poll() is None


def test_a_worker_of_another_machine_is_believed_for_thirty_seconds():
    Worker.objects.create(name="far", pid=1, host="elsewhere", heartbeat_at=Now())
    assert runner.live_worker()
    Worker.objects.update(heartbeat_at=Now() - runner.HEARTBEAT_LIMIT)
    assert not runner.live_worker()


def test_a_job_that_eats_all_memory_is_ended_and_parked(settings):
    settings.ONEMAP_JOB_MEMORY = 400 << 20
    job = run_or_wait(enqueue("greedy", {}, created_by="user:lin"))
    assert (job.state, job.attempts, job.result["code"]) == ("failed", 3, "job-too-large")
    assert job.reason == "the job needed more than 400 MiB of memory"


def test_a_job_that_never_ends_is_ended(settings):
    settings.ONEMAP_JOB_SECONDS = 0.3
    job = run_or_wait(enqueue("deaf", {}, created_by="user:lin"))
    assert (job.state, job.attempts, job.result["code"]) == ("failed", 3, "job-too-long")


def test_a_child_that_cannot_start_is_told_and_the_job_waits(monkeypatch):
    job = enqueue("work", {}, created_by="user:lin")
    monkeypatch.setenv("ONEMAP_JOB_MODULES", "tests.process.no_such_module")
    with pytest.raises(ChildGone):
        run_or_wait(job)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)


def test_a_running_job_heeds_its_cancel():
    job = enqueue("patient", {}, created_by="user:lin")
    running = Thread(run_or_wait, job)
    running.start()
    until(lambda: step_of(job) == "waiting")
    request_cancel(job.pk)
    running.result()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result["code"]) == ("cancelled", 1, "job-cancelled")


def test_a_job_that_heeds_no_cancel_is_ended(monkeypatch):
    monkeypatch.setattr(runner, "CANCEL_GRACE_S", 0.1)
    job = enqueue("deaf", {}, created_by="user:lin")
    running = Thread(run_or_wait, job)
    running.start()
    until(lambda: step_of(job) == "not listening")
    request_cancel(job.pk)
    running.result()
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_ctrl_c_cancels_the_job_and_waits_for_its_end():
    job = enqueue("patient", {}, created_by="user:lin")

    def interrupt():
        until(lambda: step_of(job) == "waiting")
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(interrupt)
    thread.start()
    run_or_wait(job)
    thread.result()
    assert job.state == State.CANCELLED


def test_progress_is_passed_on_while_the_job_waits_for_its_commit(tmp_path):
    gate = tmp_path / "gate"
    job = enqueue("gated", {"gate": str(gate)}, created_by="user:lin")
    seen = []

    def note(now):
        seen.append((now.state, now.step, now.progress))
        if now.step == "at the gate":
            gate.touch()

    run_or_wait(job, note)
    assert ("running", "at the gate", 0.5) in seen
    assert job.state == State.DONE
