"""The app of the one map."""

from django.apps import AppConfig


class LayersConfig(AppConfig):
    """Register the app's jobs when the site starts."""

    name = "layers"
    verbose_name = "图层 layers"

    def ready(self) -> None:
        """Make the import and export jobs known to the worker."""
        from layers.exchange import tasks

        tasks.register()
