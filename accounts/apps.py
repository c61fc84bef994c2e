"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Listen to Django's own login signals, so that every way in is told of."""

    name = "accounts"
    verbose_name = "账号 accounts"

    def ready(self) -> None:
        """Connect the receivers."""
        from accounts import receivers

        receivers.connect()
