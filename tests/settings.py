"""The platform's settings, but for a hash of passwords that takes no time: tests make hundreds of accounts.

What is about the hash takes `global_settings.PASSWORD_HASHERS` (tests/accounts/test_views.py)."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
