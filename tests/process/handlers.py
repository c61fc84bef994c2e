"""Kinds of jobs that behave and misbehave; imported by the test and by the children it starts."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import ClassVar

from django.db import connection, transaction

from process import audit, jobs
from spatial.errors import Kind, OnemapError


class TooShort(OnemapError):
    kind: ClassVar = Kind.INVALID
    code: ClassVar = "too-short"
    message: ClassVar = "{length} is too short"
    message_zh: ClassVar = "{length} 太短"


def wait_for(path, limit_s=30.0):
    deadline = time.monotonic() + limit_s
    while not Path(path).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(path)
        threading.Event().wait(0.02)


def work(context):
    """Write one line into the ledger (the audit), and end the job with it."""
    with transaction.atomic():
        audit.record("job", "work", "job", str(context.job_id), attempt=context.attempt)
        context.finish({"worked": context.arguments.get("number")})


def steps(context):
    context.progress("reading", 0.25)
    context.fail_point(1)
    with transaction.atomic():
        audit.record("job", "work", "job", str(context.job_id), attempt=context.attempt)
        context.fail_point(2)
        context.finish({"worked": 1})
        context.fail_point(3)
    context.fail_point(4)


def gated(context):
    """Stop with the transaction open until the test lets it go on."""
    with transaction.atomic():
        audit.record("job", "work", "job", str(context.job_id), attempt=context.attempt)
        context.progress("at the gate", 0.5)
        wait_for(context.arguments["gate"])
        context.finish({"worked": context.attempt})


def patient(context):
    context.progress("waiting", 0.1)
    for _ in range(3000):
        context.check_cancel()
        threading.Event().wait(0.01)


def deaf(context):
    context.progress("not listening", 0.1)
    threading.Event().wait(60)


def greedy(context):
    context.progress("eating", 0.1)
    eaten = []
    for _ in range(4000):
        eaten.append(b"x" * 1_000_000)
        threading.Event().wait(0.001)


def poison(context):
    os.kill(os.getpid(), signal.SIGKILL)


def refused(context):
    with transaction.atomic():
        audit.record("job", "work", "job", str(context.job_id))
        raise TooShort(length=3)


def faulty(context):
    raise ValueError("a text that must stay in the log")


def held(context):
    context.finish({"status": "held", "held": [{"code": "crs-missing"}]}, state="held")


def returns(context):
    return {"attempt": context.attempt}


def swallows_the_cut(context):
    """Go on after the connection was lost, as a handler with a wide `except` would."""
    context.progress("at the gate", 0.5)
    wait_for(context.arguments["gate"])
    try:
        connection.ensure_connection()
        connection.cursor().execute("SELECT 1")
    except Exception:
        connection.close()
    with transaction.atomic():
        audit.record("job", "work", "job", str(context.job_id), attempt=context.attempt)
        context.finish({"worked": context.attempt})


HANDLERS = (
    work,
    steps,
    gated,
    patient,
    deaf,
    greedy,
    poison,
    refused,
    faulty,
    held,
    returns,
    swallows_the_cut,
)
for handler in HANDLERS:
    jobs.register(handler.__name__, handler)
