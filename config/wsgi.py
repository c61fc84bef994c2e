"""The web application that granian serves."""

import os
from typing import Any

from django.apps import apps
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
long_way = get_wsgi_application()
site: Any = apps.get_app_config("config")
site.refuse_unsafe()

from django.conf import settings  # noqa: E402 - models and settings can be read only now

from config.lane import with_lane  # noqa: E402
from config.pools import letting_go, with_pools  # noqa: E402

application = letting_go(with_pools(with_lane(long_way)), settings.ONEMAP_STALLED_S)
