"""The jobs and duties of layers, made known to the worker."""

from layers.actions import purge_deleted
from layers.exchange import imports
from process import duties, jobs


def register() -> None:
    """Called once, when the site starts."""
    jobs.register(imports.KIND, imports.run_import)
    duties.register("sweep staging", 600, imports.sweep_staging)
    duties.register("purge deleted layers", 3600, purge_deleted)
