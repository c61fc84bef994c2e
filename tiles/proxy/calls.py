"""Calls to MapProxy: one application for each version of the catalogue, swapped as a whole."""

import logging
import threading
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from mapproxy.config.configuration.proxy import ProxyConfiguration
from mapproxy.wsgiapp import MapProxyApp

from layers.catalogue import Catalogue
from tiles.drawing.pool import NotDrawn
from tiles.proxy import source
from tiles.proxy.configuration import configuration

log = logging.getLogger("onemap.proxy")


_held: tuple[int, Any] | None = None
_lock = threading.Lock()


def application(known: Catalogue) -> Any:
    """MapProxy as configured for this version of the catalogue; requests under way keep the one they began with."""
    global _held  # noqa: PLW0603 - one for each process, swapped as a whole
    held = _held
    if held is not None and held[0] == known.version:
        return held[1]
    with _lock:
        if _held is None or _held[0] != known.version:
            source.register()
            made = ProxyConfiguration(configuration(known), conf_base_dir=str(settings.ONEMAP_VAR))
            _held = (known.version, MapProxyApp(made.configured_services(), made.base_config))
        return _held[1]


def call(known: Catalogue, path: str, query: Mapping[str, str], authorize: Any) -> bytes:
    """The picture.

    Parameters
    ----------
    path, query
        A request that the gate wrote itself.
    authorize
        What MapProxy asks about each layer (its `mapproxy.authorize`); None: it may show all.

    Raises
    ------
    NotDrawn
    """
    told: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        told.update(status=status, headers=dict(headers))

    body = b"".join(application(known)(_environ(path, query, authorize), start_response))
    media = told["headers"].get("Content-type", told["headers"].get("Content-Type", ""))
    if not told["status"].startswith("200") or not media.startswith("image/") or not body:
        log.error(
            "MapProxy answered %s to %s: %s", told["status"], path, body[:300].decode("utf-8", "replace")
        )
        raise NotDrawn()
    return body


def _environ(path: str, query: Mapping[str, str], authorize: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": urlencode(query),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **({"mapproxy.authorize": authorize} if authorize is not None else {}),
    }
