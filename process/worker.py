"""The worker: slots that do jobs in children, a heartbeat, and the duties."""

import logging
import os
import secrets
import socket
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from process import duties, jobs, runner
from process.children import Child
from process.models import Worker

log = logging.getLogger("onemap.worker")

BEAT_S = 5.0
POLL_S = 0.5
FORGOTTEN_AFTER = timedelta(hours=1)


class WorkerProcess:
    """One worker process.

    Parameters
    ----------
    slots
        How many jobs it does at a time.
    patience
        Seconds that jobs are given to end once it was asked to stop; after that they go back into the queue.
    """

    def __init__(self, slots: int, patience: float) -> None:
        self.slots = slots
        self.patience = patience
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self.stop_by = float("inf")

    def stop(self) -> None:
        """Take no more jobs; let those that run end, or hand them back."""
        self.stop_by = time.monotonic() + self.patience
        self.stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        ended = threading.Event()
        self.beat()
        heart = threading.Thread(target=self.beats, args=[ended], name="heartbeat")
        slots = [threading.Thread(target=self.slot, name=f"slot-{number}") for number in range(self.slots)]
        for thread in (heart, *slots):
            thread.start()
        while not self.stopping.is_set():
            self.stopping.wait(duties.run_due())
        for thread in slots:
            thread.join()
        ended.set()
        heart.join()
        self.forget()

    def beats(self, ended: threading.Event) -> None:
        """Say every five seconds that this worker is there."""
        while not ended.wait(BEAT_S):
            self.beat()
        connection.close()

    def beat(self) -> None:
        """Say that this worker is there. A database that is away is tried again at the next beat."""
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "heartbeat_at": Now()}
        try:
            Worker.objects.update_or_create(name=self.name, defaults=facts)
        except (DatabaseError, InterfaceError):
            connection.close()

    def forget(self) -> None:
        """Take this worker out of the list, so that nobody waits for it."""
        try:
            Worker.objects.filter(name=self.name).delete()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the worker could not sign off: %s", type(error).__name__)

    def slot(self) -> None:
        """Do one job after another."""
        child: Child | None = None
        while not self.stopping.is_set():
            try:
                child = self.turn(child)
            except (DatabaseError, InterfaceError):
                connection.close()
                self.stopping.wait(POLL_S)
            except Exception as error:
                log.error("a slot stumbled", exc_info=error)
                self.stopping.wait(POLL_S)
        if child is not None:
            child.close()
        connection.close()

    def turn(self, child: Child | None) -> Child | None:
        """Do one job if one waits, else wait a moment; return the child for the next turn."""
        if not jobs.waiting():
            self.stopping.wait(POLL_S)
            return child
        if child is not None and runner.worn(child):
            child.close()
            child = None
        child = child or runner.new_child()
        runner.supervise(child, None, self.watch)
        return child

    def watch(self) -> runner.Verdict | None:
        """End a job that is still running when the worker must be gone."""
        return runner.STOPPED if time.monotonic() > self.stop_by else None


def forget_silent_workers() -> None:
    """Drop workers that ended without signing off."""
    Worker.objects.filter(heartbeat_at__lt=Now() - FORGOTTEN_AFTER).delete()


def sweep() -> None:
    """Free the jobs whose process is gone."""
    runner.free_jobs()
