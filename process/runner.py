"""Watching over the child that does a job, and freeing the jobs of processes that are gone."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models.functions import Now

from accounts.statements import statement
from process.children import Child, ChildGone
from process.context import LOCK_SPACE
from process.jobs import request_cancel
from process.models import MAX_ATTEMPTS, Job, State, Worker

log = logging.getLogger("onemap.jobs")

HEARTBEAT_LIMIT = timedelta(seconds=30)
TICK_S = 0.2
CANCEL_LOOK_S = 1.0
CANCEL_GRACE_S = 30.0
FREE_WAIT_S = 10.0
JOBS_PER_CHILD = 100
MEMORY_KEPT = 1 << 30  # a child that keeps more than this after a job is replaced


@dataclass(frozen=True)
class Verdict:
    """Why a job's process is to be ended."""

    code: str
    reason: str
    handed_back: bool = False


@dataclass(frozen=True)
class Limits:
    """What one job may use: bytes of memory, seconds of time."""

    memory: int
    seconds: float


LOST = Verdict("worker-lost", "the process that did the job was lost")
STOPPED = Verdict("handed-back", "the worker was asked to stop", handed_back=True)
UNHEARD = Verdict("job-cancelled", "the job did not heed its cancelling and was ended")

Watch = Callable[[], Verdict | None]


def limits() -> Limits:
    """The site's limits for one job."""
    return Limits(
        memory=getattr(settings, "ONEMAP_JOB_MEMORY", 4 << 30),
        seconds=getattr(settings, "ONEMAP_JOB_SECONDS", 4 * 3600),
    )


def new_child() -> Child:
    """A child under the site's limits; the kernel's is wider, as it counts address space, not use."""
    return Child(memory=2 * limits().memory)


def limit_watch(child: Child, allowed: Limits) -> Watch:
    """A watch over a child's use of memory and time, from now on."""
    began = time.monotonic()

    def look() -> Verdict | None:
        if child.memory() > allowed.memory:
            return Verdict("job-too-large", f"the job needed more than {allowed.memory >> 20} MiB of memory")
        if time.monotonic() - began > allowed.seconds:
            return Verdict("job-too-long", f"the job took longer than {allowed.seconds:g} seconds")
        return None

    return look


def cancel_watch(job_id: int) -> Watch:
    """A watch for a job that was told to stop and does not."""
    asked: list[float] = []
    looked = time.monotonic()

    def look() -> Verdict | None:
        nonlocal looked
        if time.monotonic() - looked < CANCEL_LOOK_S:
            return None
        looked = time.monotonic()
        if not asked and cancel_was_requested(job_id):
            asked.append(looked)
        return UNHEARD if asked and looked - asked[0] > CANCEL_GRACE_S else None

    return look


def cancel_was_requested(job_id: int) -> bool:
    """Whether a cancel was asked for; False too while the database does not answer."""
    try:
        return Job.objects.filter(pk=job_id, cancel_requested=True).exists()
    except (DatabaseError, InterfaceError):
        connection.close()
        return False


def supervise(child: Child, job_id: int | None, watch: Watch) -> int | None:
    """Let a child take and do one job.

    Parameters
    ----------
    child
        An idle one.
    job_id
        The job to take; None for the one that waits longest.
    watch
        Asked five times a second; a verdict ends the child.

    Returns
    -------
    int or None
        The job taken; None when there was none. The child is dead afterwards if the job killed it.

    Raises
    ------
    ChildGone
        The child died before it took a job: it cannot work here.
    """
    taken: int | None = None
    watches: list[Watch] = [watch]
    try:
        child.take(job_id)
        while (line := child.answer(TICK_S)) is None or line.startswith("took "):
            if line is not None:
                taken = int(line.removeprefix("took "))
                watches = [watch, limit_watch(child, limits()), cancel_watch(taken)]
            verdict = next((found for one in watches if (found := one())), None)
            if verdict:
                child.kill()
                return freed(taken, verdict)
    except ChildGone:
        child.kill()
        if taken is None:
            raise
        return freed(taken, LOST)
    child.jobs_done += 1
    return taken


def freed(job_id: int | None, verdict: Verdict) -> int | None:
    """Free the job of a child that is dead, as soon as the database has noticed the death."""
    if job_id is None:
        return None
    deadline = time.monotonic() + FREE_WAIT_S
    while time.monotonic() < deadline:
        try:
            if free_jobs(verdict, job_id) or not Job.objects.filter(pk=job_id, state=State.RUNNING).exists():
                return job_id
        except (DatabaseError, InterfaceError):
            connection.close()
        threading.Event().wait(0.05)
    return job_id


def free_jobs(verdict: Verdict = LOST, job_id: int | None = None) -> int:
    """Requeue or park running jobs whose lock is free; return how many. The sweep, when no job is named."""
    parameters = {
        "space": LOCK_SPACE,
        "job": job_id,
        "most": MAX_ATTEMPTS,
        "pause": 0.0,
        "code": verdict.code,
        "reason": verdict.reason,
        "handed_back": verdict.handed_back,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement("process", "free_jobs"), parameters)
        rows = cursor.fetchall()
    for number, kind, state in rows:
        level = logging.ERROR if state == State.FAILED else logging.WARNING
        log.log(level, "job %s (%s) is %s: %s", number, kind, state, verdict.reason)
    return len(rows)


def worn(child: Child) -> bool:
    """Whether a child has done its share, or keeps too much memory."""
    return (
        child.process.poll() is not None or child.jobs_done >= JOBS_PER_CHILD or child.memory() > MEMORY_KEPT
    )


def live_worker() -> bool:
    """Whether a worker is there: its heartbeat is fresh, and if it is on this machine its process exists."""
    fresh = Worker.objects.filter(heartbeat_at__gt=Now() - HEARTBEAT_LIMIT)
    here = socket.gethostname()
    return any(one.host != here or process_exists(one.pid) for one in fresh)


def process_exists(pid: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run_or_wait(job: Job, on_progress: Callable[[Job], None] | None = None) -> Job:
    """Return once the job has ended: done by a worker if one is there, else by a child of this process.

    The first interrupt (Ctrl-C) asks for the job's cancel and goes on waiting, the second one interrupts.

    Parameters
    ----------
    job
        Enqueued, and committed.
    on_progress
        Called with the job about once a second while it goes on.

    Raises
    ------
    TransactionManagementError
        Called inside a transaction: nobody else could see the job.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("a job is run after the transaction that enqueued it")
    with interrupts() as interrupted:
        report = reporter(job, interrupted, on_progress)
        while not job.ended:
            report()
            if not live_worker():
                run_in_child(job, report)
            job.refresh_from_db()
            if not job.ended:
                threading.Event().wait(TICK_S)
    return job


_kept: list[Child | None] = []


@contextmanager
def one_child() -> Iterator[None]:
    """Within this block jobs that this process runs itself share a child: starting one takes seconds."""
    _kept.append(None)
    try:
        yield
    finally:
        child = _kept.pop()
        if child is not None:
            child.kill()


def run_in_child(job: Job, watch: Watch) -> None:
    """Do the job in a child of this process, if it waits; free it if it runs and nobody does it."""
    if Job.objects.filter(pk=job.pk, state=State.RUNNING).exists():
        free_jobs(LOST, job.pk)
    if not Job.objects.filter(pk=job.pk, state=State.QUEUED, not_before__lte=Now()).exists():
        return
    if not _kept:
        with new_child() as child:
            supervise(child, job.pk, watch)
        return
    child = _kept[-1] or new_child()
    supervise(child, job.pk, watch)
    if worn(child):
        child.kill()
    _kept[-1] = None if worn(child) else child


def reporter(job: Job, interrupted: threading.Event, on_progress: Callable[[Job], None] | None) -> Watch:
    """A watch that never ends a job, but passes on its progress and an interrupt."""
    told = 0.0

    def look() -> Verdict | None:
        nonlocal told
        if interrupted.is_set():
            interrupted.clear()
            request_cancel(job.pk)
        if on_progress is not None and time.monotonic() - told >= 1.0:
            told = time.monotonic()
            job.refresh_from_db()
            on_progress(job)
        return None

    return look


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Within this block the first SIGINT only sets the event; the second one interrupts as usual."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before: Any = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
