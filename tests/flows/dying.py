"""Children that do jobs and die at a chosen step: forks of a process that has started already, for speed."""

import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from django.db import connections

from layers.exchange.deliveries import flow
from layers.models import Delivery
from process import runner
from process.children import ChildGone
from process.context import LostJob
from process.execution import run_next
from process.models import MAX_ATTEMPTS, Job
from tests.delivering import ANSWERS, district, document, land, people


class Fork:
    """Stands where `process.children.Child` does: a process of its own for each job, killed as any other."""

    process = SimpleNamespace(poll=lambda: None)

    def __init__(self):
        self.jobs_done, self.pid, self.job = 0, 0, 0
        self.said = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def take(self, job_id):
        connections.close_all()
        self.job, self.said = job_id, [f"took {job_id}"]
        self.pid = fork(lambda: run_next(job_id))

    def answer(self, wait_s):
        if self.said:
            return self.said.pop()
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended(self.pid) != 0:
                    raise ChildGone
                return f"ended {self.job}"
            threading.Event().wait(0.005)
        return None

    def memory(self):
        return 0

    def kill(self):
        if self.pid:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                ended(self.pid)
            self.pid = 0


def fork(action):
    """Do something in a process of its own; its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        action()
    except LostJob:
        os._exit(1)
    except BaseException:
        os._exit(2)
    os._exit(0)


def ended(pid):
    """The exit status of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def at(point):
    """From now on jobs die there; at '' nowhere."""
    settings.ONEMAP_FAIL_AT = point


def without_boot(attempts=MAX_ATTEMPTS):
    """Let the jobs of this process be done by forks of it, each tried so often."""
    runner.new_child, runner.MAX_ATTEMPTS = Fork, attempts


def deliver(folder, points, last, attempts):
    """Import a delivery again and again, each time killed at another point; take the last one up again.

    Prints a line of JSON for each: point, report, state of the delivery and whether its job was lost, and of that
    job state, attempts and reason.
    """
    without_boot(attempts)
    for point in points:
        at(point)
        report = flow.import_delivery_now(
            Path(folder), document(), name=point, department="data", actor="cli:lin", answers=ANSWERS
        )
        delivery = Delivery.objects.get(pk=report["delivery"])
        tell(point, delivery, report)
        if point != points[-1]:
            at("")
            flow.withdraw(delivery.pk, by="cli:lin")
    at(last)
    flow.answer(delivery.pk, {}, by="cli:lin")
    tell(last, go_on(delivery), flow.report_of(delivery))


def go_on(delivery):
    """Do what the delivery's jobs still have to do."""
    worked = None
    delivery.refresh_from_db()
    while delivery.job != worked:
        worked = delivery.job
        runner.run_or_wait(Job.objects.get(pk=worked))
        delivery.refresh_from_db()
    return delivery


def tell(point, delivery, report):
    job = Job.objects.get(pk=delivery.job)
    facts = {
        "point": point,
        "report": report,
        "state": delivery.state,
        "lost": flow.lost(delivery),
        "job": [job.kind, job.state, job.attempts, job.reason],
    }
    print(json.dumps(facts, default=str), flush=True)


def at_once(jobs):
    """Do jobs at the same moment, each in a process of its own; their exit codes."""
    connections.close_all()
    gate, opened = os.pipe()

    def go(job):
        os.close(opened)
        os.read(gate, 1)
        run_next(job)

    pids = [fork(lambda job=job: go(job)) for job in jobs]
    os.close(opened)
    os.close(gate)
    return [ended(pid) for pid in pids]


def race(folder, rounds):
    """Two people deliver the same layers and accept at the same moment, again and again; a line of JSON for each."""
    without_boot()
    for number in range(rounds):
        both = [racing(Path(folder), number, who) for who in ("lin", "chen")]
        assert at_once([one.job for one in both]) == [0, 0]
        jobs = [flow.accept(one.pk, by=one.sent_by).job for one in both]
        assert at_once(jobs) == [0, 0]
        states = [go_on(one).state for one in both]
        done = Job.objects.filter(pk__in=jobs)
        (late,) = [one for one in both if one.state != "accepted"]
        flow.accept(late.pk, by=late.sent_by)
        facts = {
            "states": states,
            "attempts": [one.attempts for one in done],
            "moved_on": [one.result["code"] for one in done if one.state == "failed"],
            "then": go_on(late).state,
        }
        print(json.dumps(facts), flush=True)


def racing(folder, number, who):
    """A small delivery: a district and a table of people, named in another order by each who delivers."""
    path = folder / f"race_{number}_{who}"
    path.mkdir()
    district().to_file(path / "XZQ.gpkg", driver="GPKG")
    frame = people(land())
    frame["RKS"] += 1000 * number + (who == "chen")
    frame.to_csv(path / "RK.csv", index=False)
    parts = [
        {"source": "XZQ", "kind": "layer", "layer": "race_xzq", "key": "XZQDM", "theme": "status"},
        {"source": "RK", "kind": "table", "layer": "race_rk", "key": "BSM", "theme": "management"},
    ]
    told = {"version": 1, "title_zh": "竞争", "department": "data", "mode": "replace", "parts": parts}
    if who == "chen":
        parts.reverse()
    return flow.start_delivery(path, told, name=path.name, department="data", actor=f"user:{who}")
