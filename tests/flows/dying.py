"""Children that do jobs and die at a chosen step: forks of a process that has started already, for speed."""

import os
import signal
import threading
import time
from types import SimpleNamespace

from django.conf import settings
from django.db import connections

from process import runner
from process.children import ChildGone
from process.context import LostJob
from process.execution import run_next


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
            try:
                os.kill(self.pid, signal.SIGKILL)
                ended(self.pid)
            except (ProcessLookupError, ChildProcessError):
                pass
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


def without_boot():
    """Let the jobs of this process be done by forks of it."""
    runner.new_child = Fork
