"""Jobs of exports, done here and now."""

from datetime import timedelta

from django.utils import timezone

from layers.exchange import export_jobs
from process import execution
from process.models import Job


def run(job_id) -> None:
    """Do the job as the worker would, but here."""
    Job.objects.filter(pk=job_id).update(not_before=timezone.now() - timedelta(days=1))
    context = execution.claim(job_id)
    try:
        export_jobs.run_export(context)
    finally:
        context.close()
        execution.release(context)
