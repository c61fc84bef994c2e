"""The app of jobs, feeds and audit."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class ProcessConfig(AppConfig):
    """Listen to accounts, and import the modules that register further kinds of jobs."""

    name = "process"
    verbose_name = "流程 process"

    def ready(self) -> None:
        """Connect the receivers; import `settings.ONEMAP_JOB_MODULES`."""
        from process import audit, duties, receivers, uploads, worker

        receivers.connect()
        duties.register("sweep", 10, worker.sweep)
        duties.register("seal audit", 5, audit.seal)
        duties.register("forget silent workers", 600, worker.forget_silent_workers)
        duties.register("sweep uploads", 600, uploads.sweep_uploads)
        for module in settings.ONEMAP_JOB_MODULES:
            import_module(module)
