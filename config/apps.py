"""The app of the site itself."""

from django.apps import AppConfig
from django.core import checks as system

from config import checks


class ConfigConfig(AppConfig):
    """The site: settings, addresses, start-up checks."""

    name = "config"
    verbose_name = "站点 site"

    def ready(self) -> None:
        """Have every command look at the native libraries first."""
        system.register(checks.check_libraries, checks.TAG)
        system.register(checks.tell_libraries)

    def refuse_unsafe(self) -> None:
        """Say which libraries are in use and refuse to serve with unsafe ones; for the web application.

        Raises
        ------
        django.core.exceptions.ImproperlyConfigured
        """
        checks.require_safe_libraries()
