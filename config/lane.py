"""The short way of vector tiles: the same view, principal and headers, without what only pages need.

A map asks for hundreds of tiles where it asks for one page. A tile request without a session cookie gains nothing
from sessions, CSRF, login state, messages and static files, and they cost as much as a small tile's own work. What
is not answered well here is left to the long way, which judges the request anew: refusals have one author.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.security import SecurityMiddleware

from accounts.middleware import PrincipalMiddleware
from config.cors import CorsMiddleware
from config.errors import RequestIdMiddleware
from config.incoming import StatementLimitMiddleware
from config.security import SecurityHeadersMiddleware
from tiles import views

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_lane(long_way: Application) -> Application:
    """The site's WSGI application, tiles first."""
    chain = _chain()

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = _answer(chain, environ) if fits(environ) else None
        if response is None:
            return long_way(environ, start_response)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        found: Iterable[bytes] = response
        return found

    return application


def fits(environ: Environ) -> bool:
    """Whether a request is for a vector tile and carries no session."""
    path = environ["PATH_INFO"]
    return (
        environ["REQUEST_METHOD"] == "GET"
        and path.startswith("/tiles/")
        and path.endswith(".mvt")
        and path.isascii()
        and path.count("/") == 6
        and "lang=" not in environ.get("QUERY_STRING", "")
        and settings.SESSION_COOKIE_NAME not in environ.get("HTTP_COOKIE", "")
    )


def _chain() -> Callable[[HttpRequest], HttpResponseBase]:
    """The middleware of the long way that tiles need, in its order."""
    inner = (PrincipalMiddleware, CommonMiddleware, StatementLimitMiddleware)
    outer = (SecurityMiddleware, CorsMiddleware, SecurityHeadersMiddleware, RequestIdMiddleware)
    answer: Any = _tile
    for link in (*inner, *outer):
        answer = link(answer)
    found: Callable[[HttpRequest], HttpResponseBase] = answer
    return found


def _tile(request: HttpRequest) -> HttpResponse:
    _, _, name, grid, z, x, y = request.path_info.removesuffix(".mvt").split("/")
    return views.tile(request, name, grid, z, x, y)


def _answer(chain: Callable[[HttpRequest], HttpResponseBase], environ: Environ) -> Any:
    """The response; None where the long way has to say why there is none."""
    request_started.send(sender=with_lane, environ=environ)
    try:
        response = chain(WSGIRequest(environ))
    except Exception:  # noqa: BLE001 - the long way meets it again, answers and logs it
        return None
    return response if response.status_code < 400 else None
