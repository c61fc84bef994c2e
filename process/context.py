"""What a job's handler is given."""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.statements import statement
from process.models import State
from spatial.errors import Kind, OnemapError

log = logging.getLogger("onemap.jobs")

LOCK_SPACE = 0x6F6D6A62  # the first half of every job's advisory lock; the second is the job's id
TOLD_EVERY_S = 0.25
KILLED = 137


class Cancelled(OnemapError):
    """Someone asked for the job's end."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "job-cancelled"
    message: ClassVar = "the job was cancelled"
    message_zh: ClassVar = "任务已取消"


class LostJob(OnemapError):
    """The process no longer owns the job it works on; nothing it did is published."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "job-lost"
    message: ClassVar = "the job {job} no longer belongs to this process"
    message_zh: ClassVar = "任务 {job} 已不属于本进程"


class SideConnection:
    """A second connection, for what must be seen while the work's own transaction is open.

    What goes through it is advice (progress, has a cancel been asked for?): it waits for no lock, and its
    failure is no failure of the job.
    """

    def __init__(self) -> None:
        self._wrapper: BaseDatabaseWrapper | None = None

    def run(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The statement's first row; None when it has none or could not be run."""
        try:
            with self._connected().cursor() as cursor:
                cursor.execute(sql, parameters)
                row: tuple[Any, ...] | None = cursor.fetchone()
                return row
        except (DatabaseError, InterfaceError) as error:
            log.info("a job's side connection failed: %s", type(error).__name__)
            self.close()
            return None

    def close(self) -> None:
        """Let go of the connection; the next statement opens another."""
        if self._wrapper is not None:
            self._wrapper.close()
            self._wrapper = None

    def _connected(self) -> BaseDatabaseWrapper:
        if self._wrapper is None:
            self._wrapper = connections.create_connection("default")
            with self._wrapper.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'; SET statement_timeout = '2s'")
        return self._wrapper


class JobContext:
    """One attempt at one job.

    Attributes
    ----------
    job_id, attempt
        Which job, and the number of the try (1 to 3).
    arguments
        What the job was enqueued with.
    """

    def __init__(self, job_id: int, kind: str, arguments: Mapping[str, Any], attempt: int) -> None:
        self.job_id = job_id
        self.kind = kind
        self.arguments = arguments
        self.attempt = attempt
        self._side = SideConnection()
        self._told: tuple[str, float] = ("", 0.0)

    def progress(self, step: str, fraction: float) -> None:
        """Say how far the work is; seen at once by others, at most four times a second for one step.

        Parameters
        ----------
        step
            What is being done, in words.
        fraction
            Of the whole job, 0 to 1.
        """
        said, when = self._told
        if step == said and time.monotonic() - when < TOLD_EVERY_S:
            return
        self._told = (step, time.monotonic())
        facts = {"job": self.job_id, "attempt": self.attempt, "step": step[:200]}
        self._side.run(
            statement("process", "tell_progress"), {**facts, "fraction": min(max(fraction, 0.0), 1.0)}
        )

    def check_cancel(self) -> None:
        """Stop here if someone asked for the job's end; to be called every second or so.

        Raises
        ------
        Cancelled
        """
        if self._side.run(statement("process", "cancel_requested"), {"job": self.job_id}):
            raise Cancelled()

    def fail_point(self, number: int) -> None:
        """Die here, as if killed, when the setting says '<kind>:<number>': so every step is tested."""
        fail_point(f"{self.kind}:{number}")

    def finish(self, result: Mapping[str, Any], state: str = State.DONE) -> None:
        """End the job, in the transaction of the caller: the publishing one.

        Parameters
        ----------
        result
            What came of it, as JSON.
        state
            'done' or 'held'.

        Raises
        ------
        LostJob
            The job is not this process's any more (its connection was cut, or it was given to another).
            Let it pass: it takes the whole transaction back.
        """
        end_job(self, State(state), result, "")

    def close(self) -> None:
        """Let go of the side connection."""
        self._side.close()


def end_job(context: JobContext, state: State, result: Mapping[str, Any] | None, reason: str) -> None:
    """Write a job's end, if this connection holds the job's lock and this attempt is the current one.

    Raises
    ------
    LostJob
    """
    parameters: dict[str, str | int | float | None] = {
        "space": LOCK_SPACE,
        "job": context.job_id,
        "attempt": context.attempt,
        "state": state.value,
        "result": None if result is None else json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False),
        "reason": reason[:2000],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("process", "end_job"), parameters)
        if cursor.fetchone() is None:
            raise LostJob(job=context.job_id)


def fail_point(name: str) -> None:
    """Die here, as if killed, when the setting names this point."""
    if settings.ONEMAP_FAIL_AT == name:
        die()


def die() -> None:
    """End the process at once, without cleaning up: what a kill does."""
    os._exit(KILLED)
