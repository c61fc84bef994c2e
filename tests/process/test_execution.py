"""How a job ends, in the process that does it."""

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from process.context import LostJob
from process.execution import claim, perform, release, run_next
from process.jobs import JobNotFound, UnknownKind, enqueue, request_cancel
from process.models import Job
from process.runner import run_or_wait
from tests.process.conftest import worked

pytestmark = pytest.mark.django_db(transaction=True)


def ended(kind, **arguments):
    job = enqueue(kind, arguments, created_by="user:lin")
    assert run_next(job.pk) == job.pk
    job.refresh_from_db()
    return job


def test_what_a_handler_returns_is_the_result():
    job = ended("returns")
    assert (job.state, job.result) == ("done", {"attempt": 1})
    assert job.started_at <= job.finished_at


def test_a_handler_may_end_its_job_as_held():
    job = ended("held")
    assert (job.state, job.result["held"][0]["code"]) == ("held", "crs-missing")


def test_a_refusal_fails_the_job_at_once_and_by_name():
    job = ended("refused")
    assert (job.state, job.attempts, job.reason) == ("failed", 1, "3 is too short")
    assert job.result == {
        "status": "failed",
        "code": "too-short",
        "reason": "3 is too short",
        "facts": {"length": 3},
    }
    assert worked(job) == 0


def test_a_fault_is_tried_three_times_and_told_without_its_text():
    job = ended("faulty")
    assert (job.state, job.attempts, job.result) == ("queued", 1, None)
    for _ in range(2):
        Job.objects.update(not_before=job.created_at)
        run_next(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result["code"]) == ("failed", 3, "internal-error")
    assert "ValueError" in job.reason
    assert "must stay" not in job.reason + str(job.result)


def test_a_job_whose_time_has_not_come_is_not_taken():
    job = ended("faulty")
    assert run_next(job.pk) is None


def test_the_lock_is_let_go():
    job = ended("work")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s::bigint::oid"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [job.pk],
        )
        assert cursor.fetchone()[0] == 0


def test_a_claimed_job_is_not_claimed_again():
    job = enqueue("work", {}, created_by="user:lin")
    context = claim()
    assert context.job_id == job.pk
    assert claim() is None
    perform(context)
    release(context)


def test_without_the_lock_a_job_cannot_be_ended():
    job = enqueue("work", {}, created_by="user:lin")
    context = claim()
    release(context)
    with pytest.raises(LostJob):
        perform(context)
    assert worked(job) == 0


def test_an_older_attempt_cannot_end_the_job():
    job = enqueue("work", {}, created_by="user:lin")
    context = claim()
    Job.objects.update(attempts=2)
    with pytest.raises(LostJob):
        perform(context)
    release(context)
    assert worked(job) == 0


def test_a_waiting_job_is_cancelled_at_once():
    job = enqueue("work", {}, created_by="user:lin")
    assert request_cancel(job.pk).state == "cancelled"
    assert run_next(job.pk) is None


def test_cancelling_what_has_ended_changes_nothing():
    job = ended("work")
    after = request_cancel(job.pk)
    assert (after.state, after.cancel_requested) == ("done", False)


def test_cancelling_what_is_not_there_is_refused():
    with pytest.raises(JobNotFound):
        request_cancel(12345)


def test_an_unknown_kind_is_refused_when_enqueued():
    with pytest.raises(UnknownKind):
        enqueue("nonsense", {}, created_by="user:lin")


def test_a_job_appears_with_the_transaction_that_made_it():
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue("work", {}, created_by="user:lin")
        raise RuntimeError
    assert not Job.objects.exists()


def test_waiting_inside_a_transaction_is_refused():
    with transaction.atomic():
        job = enqueue("work", {}, created_by="user:lin")
        with pytest.raises(TransactionManagementError):
            run_or_wait(job)


def test_progress_and_cancel_do_not_wait_for_a_locked_row():
    job = enqueue("work", {}, created_by="user:lin")
    context = claim()
    with transaction.atomic():
        context.finish({"worked": 1})
        context.progress("after the end", 0.9)
        context.check_cancel()
    context.close()
    release(context)
    job.refresh_from_db()
    assert (job.state, job.step, job.progress) == ("done", "", 1.0)
