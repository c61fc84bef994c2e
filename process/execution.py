"""Taking a job and doing it, in this process. Runs in the child processes that `process.children` starts."""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from accounts.statements import statement
from process.context import LOCK_SPACE, Cancelled, JobContext, LostJob, end_job
from process.jobs import handler_of
from process.models import MAX_ATTEMPTS, Job, State
from spatial.errors import OnemapError

log = logging.getLogger("onemap.jobs")

RETRY_PAUSE_S = 1.0  # times the attempts so far


def claim(
    job_id: int | None = None, announce: Callable[[int], object] = lambda number: None
) -> JobContext | None:
    """Take a job: the one that waits longest, or the one named. None when there is none to take.

    From the moment others can see the job running, this connection holds its advisory lock.

    Parameters
    ----------
    announce
        Told the job's id before the claim is committed; if it raises, the job was not taken.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement("process", "claim_job"), {"space": LOCK_SPACE, "job": job_id})
        row = cursor.fetchone()
        if row is None:
            return None
        number, kind, arguments, attempt, locked = row
        if not locked:
            transaction.set_rollback(True)
            return None
        announce(number)
    return JobContext(number, kind, json.loads(arguments), attempt)


def release(context: JobContext) -> None:
    """Let go of the job's advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, context.job_id])


def perform(context: JobContext) -> None:
    """Do a claimed job, and write how it ended.

    Raises
    ------
    LostJob, DatabaseError
        The job is not ours any more, or the connection is gone: nothing can be written here. The process must
        end; the sweep then finds the job's lock free.
    """
    try:
        result = handler_of(context.kind)(context)
        complete(context, result)
    except LostJob:
        raise
    except Cancelled as error:
        end_job(context, State.CANCELLED, refusal(error), error.text("en"))
    except OnemapError as error:
        end_job(context, State.FAILED, refusal(error), error.text("en"))
    except Exception as error:
        retry(context, error)
    finally:
        context.close()


def complete(context: JobContext, result: Mapping[str, Any] | None) -> None:
    """End the job with what its handler returned, unless the handler has ended it itself."""
    if Job.objects.filter(pk=context.job_id, state=State.RUNNING).exists():
        end_job(context, State.DONE, dict(result or {}), "")


def refusal(error: OnemapError) -> dict[str, Any]:
    """What a refusal leaves in the job's result."""
    facts = json.loads(json.dumps(error.facts, default=str))
    return {"status": "failed", "code": error.code, "reason": error.text("en"), "facts": facts}


def retry(context: JobContext, error: Exception) -> None:
    """Queue the job again after a fault of ours, or park it; the log, not the job, says what happened.

    Raises
    ------
    LostJob
    """
    reference = secrets.token_hex(4)
    log.error("job %s (%s) failed, reference %s", context.job_id, context.kind, reference, exc_info=error)
    reason = f"a fault of the platform ({type(error).__name__}, reference {reference})"
    result = {
        "status": "failed",
        "code": "internal-error",
        "reason": reason,
        "facts": {"reference": reference},
    }
    parameters: dict[str, str | int | float | None] = {
        "space": LOCK_SPACE,
        "job": context.job_id,
        "attempt": context.attempt,
        "most": MAX_ATTEMPTS,
        "pause": RETRY_PAUSE_S * context.attempt,
        "reason": reason,
        "result": json.dumps(result, cls=DjangoJSONEncoder),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("process", "retry_job"), parameters)
        if cursor.fetchone() is None:
            raise LostJob(job=context.job_id)


def run_next(job_id: int | None = None) -> int | None:
    """Take one job and do it here, in this process; return its id, None when there was none."""
    context = claim(job_id)
    if context is None:
        return None
    perform(context)
    release(context)
    return context.job_id
