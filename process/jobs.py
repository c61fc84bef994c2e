"""What the rest of the platform needs of jobs: to declare a kind, to enqueue, to ask for a cancel.

A job's handler runs in a child process, on a connection that holds the job's advisory lock. It writes what it
publishes in one transaction and calls `JobContext.finish` inside it: then the work and the job's end are
committed together or not at all, and a process that has lost its connection, and with it the lock, cannot
commit. Whatever a handler commits earlier (staging) must be harmless when done again.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import connection, transaction
from django.utils import timezone

from accounts.statements import statement
from process.context import JobContext
from process.models import Job, State
from spatial.errors import Kind, OnemapError

Handler = Callable[[JobContext], Mapping[str, Any] | None]

_handlers: dict[str, Handler] = {}


class UnknownKind(OnemapError):
    """No handler is registered for a kind of job."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "unknown-job-kind"
    message: ClassVar = "no handler is registered for jobs of the kind {job_kind}"
    message_zh: ClassVar = "任务类型 {job_kind} 没有处理程序"


class JobNotFound(OnemapError):
    """There is no such job for this caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "job-not-found"
    message: ClassVar = "there is no such job"
    message_zh: ClassVar = "没有该任务"


def register(kind: str, handler: Callable[[JobContext], Mapping[str, Any] | None]) -> None:
    """Declare who does jobs of this kind. Call it while the site starts (`AppConfig.ready`)."""
    _handlers[kind] = handler


def handler_of(kind: str) -> Handler:
    """The handler of a kind.

    Raises
    ------
    UnknownKind
    """
    if kind not in _handlers:
        raise UnknownKind(job_kind=kind)
    return _handlers[kind]


def enqueue(kind: str, arguments: Mapping[str, Any], *, created_by: str) -> Job:
    """Add a job, in the caller's transaction: it is seen by workers once that commits.

    Parameters
    ----------
    kind
        A registered kind.
    arguments
        What the handler needs, as JSON.
    created_by
        The principal's name; that principal may look at the job and cancel it.
    """
    handler_of(kind)
    return Job.objects.create(kind=kind, arguments=dict(arguments), created_by=created_by)


def request_cancel(job_id: int) -> Job:
    """Ask for a job's end: at once while it waits, at its next `check_cancel` while it runs.

    Raises
    ------
    JobNotFound
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement("process", "cancel_job"), {"job": job_id})
        if cursor.fetchone() is None:
            raise JobNotFound()
    return Job.objects.get(pk=job_id)


def waiting() -> bool:
    """Whether any job could be taken now."""
    return Job.objects.filter(state=State.QUEUED, not_before__lte=timezone.now()).exists()
