"""The app of the one map."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LayersConfig(AppConfig):
    """Register the app's jobs when the site starts."""

    name = "layers"
    verbose_name = "图层 layers"

    def ready(self) -> None:
        """Make the jobs known to the worker; fill an empty catalogue once its tables are there."""
        from layers import receivers, seed
        from layers.exchange import tasks

        tasks.register()
        receivers.connect()
        # After the tables are there, and again after a test has emptied them.
        post_migrate.connect(seed.seed, sender=self, dispatch_uid="layers.seed")
