"""Which other sites' pages may read answers: those of a list, and anybody what the public sees (threats.md X-04).

A page of another site never gets an answer that rests on a cookie: no answer allows credentials. With a key, which
a page must have been given, the sites of the list may ask.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_OPEN = re.compile(r"/(?:tiles|ogc)(?:/|\Z)")
_METHODS = "GET, HEAD, OPTIONS"
_SENT = "Authorization, If-None-Match, Accept-Language"
_SHOWN = "Content-Crs, ETag, Retry-After, X-Request-Id"
_KEPT_S = "600"


class CorsMiddleware:
    """Add the headers by which browsers let other sites' pages read an answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a browser's question before a request, and mark what may be read."""
        if not _OPEN.match(request.path_info):
            return self.get_response(request)
        origin = request.headers.get("Origin")
        listed = origin if origin in settings.ONEMAP_CORS_ORIGINS else None
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(listed)
        response = self.get_response(request)
        if listed is not None:
            response.headers["Access-Control-Allow-Origin"] = listed
            response.headers["Access-Control-Expose-Headers"] = _SHOWN
        elif not _named(request):
            response.headers["Access-Control-Allow-Origin"] = "*"
        if settings.ONEMAP_CORS_ORIGINS:
            patch_vary_headers(response, ["Origin"])
        return response


def _named(request: HttpRequest) -> bool:
    """Whether a request says who sends it."""
    return "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES


def _preflight(origin: str | None) -> HttpResponse:
    response = HttpResponse(status=204)
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store"
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _SENT
        response.headers["Access-Control-Max-Age"] = _KEPT_S
    return response
