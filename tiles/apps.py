"""The app of tiles."""

from django.apps import AppConfig


class TilesConfig(AppConfig):
    """Pictures of layers."""

    name = "tiles"
    verbose_name = "瓦片 tiles"
