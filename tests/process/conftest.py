import threading
import time

import pytest
from django.db import connection

from process.models import AuditRecord, Job
from tests.process import handlers

assert handlers.HANDLERS


@pytest.fixture(autouse=True)
def job_modules(monkeypatch):
    """Children know the handlers of the tests, too."""
    monkeypatch.setenv("ONEMAP_JOB_MODULES", "tests.process.handlers")
    monkeypatch.delenv("FAIL_AT", raising=False)


def until(condition, limit_s=30.0):
    """Wait until the condition holds, and return what it gave."""
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        threading.Event().wait(0.02)
    return found


def step_of(job):
    return Job.objects.values_list("step", flat=True).get(pk=job.pk)


def worked(job):
    """How often the job's work is in the ledger."""
    return AuditRecord.objects.filter(action="work", object_name=str(job.pk)).count()


class Thread(threading.Thread):
    """A thread that lets go of its database connection and passes on what went wrong."""

    def __init__(self, function, *args):
        super().__init__()
        self.function, self.arguments, self.error, self.value = function, args, None, None

    def run(self):
        try:
            self.value = self.function(*self.arguments)
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def result(self, limit_s=60):
        self.join(limit_s)
        assert not self.is_alive()
        if self.error:
            raise self.error
        return self.value
