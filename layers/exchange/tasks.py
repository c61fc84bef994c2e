"""The jobs and duties of layers, made known to the worker."""

from django.conf import settings

from layers.actions import purge_deleted
from layers.exchange import export_jobs, imports, indexing, rasters, sweeping
from layers.exchange.deliveries import accepting, examining, flow
from layers.exchange.pulls import running as pulls
from layers.exchange.quality import running as quality
from layers.exchange.rasters import importing as raster_import
from process import duties, jobs
from spatial.formats.converting import set_converters


def register() -> None:
    """Called once, when the site starts."""
    set_converters(settings.ONEMAP_CONVERTERS)
    jobs.register(imports.KIND, imports.run_import)
    jobs.register(raster_import.KIND, raster_import.run_raster_import)
    jobs.register(indexing.KIND, indexing.run_index)
    jobs.register(flow.CHECK, examining.run_check)
    jobs.register(flow.ACCEPT, accepting.run_accept)
    jobs.register(export_jobs.KIND, export_jobs.run_export)
    jobs.register(pulls.KIND, pulls.run_pull)
    jobs.register(quality.KIND, quality.run_check_quality)
    duties.register("start pulls", 30, pulls.start_due)
    duties.register("check quality", 60, quality.start_due)
    duties.register("sweep exports", 600, export_jobs.sweep_exports)
    duties.register("sweep staging", 60, sweeping.sweep_staging)
    duties.register("sweep rasters", 3600, rasters.sweep_rasters)
    duties.register("purge deleted layers", 3600, purge_deleted)
