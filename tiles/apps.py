"""The app of tiles."""

from django.apps import AppConfig


class TilesConfig(AppConfig):
    """Pictures of layers; the job that builds overviews is made known to the worker."""

    name = "tiles"
    verbose_name = "瓦片 tiles"

    def ready(self) -> None:
        """Register the job."""
        from layers.overviews import making
        from process import jobs

        jobs.register(making.KIND, making.run_build)
