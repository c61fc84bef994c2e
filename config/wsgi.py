"""The web application that granian serves."""

import os
from typing import Any

from django.apps import apps
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
long_way = get_wsgi_application()
site: Any = apps.get_app_config("config")
site.refuse_unsafe()

from config.lane import with_lane  # noqa: E402 - models can be imported only now

application = with_lane(long_way)
