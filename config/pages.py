"""The pages of the site itself: the map, the data manager's place of work, and whether the site is well."""

import json
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from process.runner import live_worker
from tiles.follower import live_follower

MAP_PAGE, DATA_PAGE = "apps/planner/", "apps/manager/"


@lru_cache(maxsize=2)
def _manifest(path: Path, stamp: float) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def client_files(page: str) -> dict[str, list[str]]:
    """Style sheets and scripts of a client page, from the build's manifest."""
    path = next(
        (
            one
            for one in (
                settings.CLIENT_DIST / "manifest.json",
                settings.CLIENT_DIST / ".vite" / "manifest.json",
            )
            if one.is_file()
        ),
        None,
    )
    manifest = _manifest(path, path.stat().st_mtime) if path else {}
    entry = next((name for name, chunk in manifest.items() if chunk.get("isEntry") and page in name), None)
    if entry is None:
        return {"css": [], "js": [], "preload": []}
    css: list[str] = []
    preload, waiting, seen = [], [entry], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        chunk = manifest[name]
        css = chunk.get("css", []) + css  # what a page builds on comes before its own
        preload += [chunk["file"]] if name != entry else []
        waiting += chunk.get("imports", [])
    return {"css": css, "js": [manifest[entry]["file"]], "preload": preload}


@require_safe
@ensure_csrf_cookie
def map_page(request: HttpRequest) -> HttpResponse:
    """GET /: the planner's map."""
    return _client_page(request, MAP_PAGE, "map.html")


@require_safe
@ensure_csrf_cookie
def data_page(request: HttpRequest) -> HttpResponse:
    """GET /data/: the data manager's place of work."""
    return _client_page(request, DATA_PAGE, "data.html")


def _client_page(request: HttpRequest, page: str, template: str) -> HttpResponse:
    language = getattr(request, "language", "zh")
    facts = {"language": "zh-CN" if language == "zh" else "en", "csrfToken": get_token(request)}
    response = render(request, template, {"files": client_files(page), "facts": facts})
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: 200 only if database and storage answer and a worker is alive.

    Whether the tile follower is alive is told, and no reason for 503: without it small zooms are late, not wrong.
    """
    parts = {"database": _database(), "storage": _storage(), "worker": False}
    follower = False
    if parts["database"]:
        parts["worker"], follower = live_worker(), live_follower()
    well = all(parts.values())
    response = JsonResponse({"ok": well, **parts, "follower": follower}, status=200 if well else 503)
    response.headers["Cache-Control"] = "no-store"
    return response


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def _storage() -> bool:
    probe = settings.ONEMAP_VAR / f".health-{os.getpid()}-{time.monotonic_ns()}"
    try:
        probe.write_bytes(b"ok")
        probe.unlink()
    except OSError:
        return False
    return True
