"""Looking at jobs, and cancelling them: for who asked for them, and for administrators."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.guard import caller
from accounts.principals import Principal
from process.jobs import JobNotFound, request_cancel
from process.models import Job

router = Router(tags=["jobs"], auth=caller)

LARGEST_ID = 2**31 - 1


class JobOut(Schema):
    """A job; `progress` goes from 0 to 1, `result` is there once it has ended."""

    id: int
    kind: str
    state: str
    step: str
    progress: float
    attempts: int
    cancel_requested: bool
    result: dict[str, Any] | None
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_of(principal: Principal, job_id: int) -> Job:
    """The job, if this caller may know of it.

    Raises
    ------
    JobNotFound
        There is none, or it is another's: the answer is the same.
    """
    job = Job.objects.filter(pk=job_id).first() if 0 < job_id <= LARGEST_ID else None
    if job is None or not (
        principal.is_admin or (principal.kind != "public" and job.created_by == principal.name)
    ):
        raise JobNotFound()
    return job


@router.get("/jobs/{job_id}", response=JobOut, summary="A job")
def read_job(request: HttpRequest, job_id: int) -> Job:
    """How far a job is, and what came of it."""
    return job_of(vars(request)["principal"], job_id)


@router.post("/jobs/{job_id}/cancel", response=JobOut, summary="Cancel a job")
def cancel_job(request: HttpRequest, job_id: int) -> Job:
    """Ask for the job's end; one that has ended stays as it is."""
    return request_cancel(job_of(vars(request)["principal"], job_id).pk)
