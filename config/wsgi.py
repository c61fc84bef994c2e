"""The web application that granian serves."""

import os
from typing import Any

from django.apps import apps
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
site: Any = apps.get_app_config("config")
site.refuse_unsafe()
