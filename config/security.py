"""Headers that every answer carries."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class SecurityHeadersMiddleware:
    """Content-Security-Policy without inline script or style, and no frame, for pages and data alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what is missing."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        # What says nothing of its keeping may depend on who asks (threats.md X-10).
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class IdleSessionMiddleware:
    """Keep a session alive while it is used: its end moves on once a minute, not with every tile."""

    STEP_S = 60
    SEEN = "seen_at"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Touch the session if it is somebody's and was last touched a minute ago."""
        response = self.get_response(request)
        session, now = request.session, int(time.time())
        # `accessed` first: a request that never looked at its session must not load it for this.
        if session.accessed and not session.is_empty() and now - session.get(self.SEEN, 0) >= self.STEP_S:
            session[self.SEEN] = now
        return response
