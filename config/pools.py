"""Heavy requests in a pool of their own: when it is full they are told to come again, and light ones go on.

docs/decisions/0020 says why here and not in a second server.
"""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

from config.errors import RequestIdMiddleware, render
from config.kinds import BODIES, DRAWING, HEAVY, kind_of
from config.language import language_of
from config.security import SecurityHeadersMiddleware
from spatial.errors import Kind, OnemapError

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_LOOPBACK = {"127.0.0.1", "::1"}


class TooBusy(OnemapError):
    """Too many large requests are being answered."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "too-busy"
    message: ClassVar = "too many large requests are being answered; try again in {retry_after_s} s"
    message_zh: ClassVar = "正在处理的大型请求过多，请 {retry_after_s} 秒后重试"


class Pool:
    """Places for requests of one kind in this process; one caller takes only a share of them."""

    def __init__(self, places: int, share: int) -> None:
        self.places, self.share = places, share
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def enter(self, caller: str) -> bool:
        """Take a place; false when all places or the caller's share are taken. Never waits: threads are few."""
        with self._lock:
            if self._taken.total() >= self.places or self._taken[caller] >= self.share:
                return False
            self._taken[caller] += 1
            return True

    def leave(self, caller: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

    @property
    def taken(self) -> int:
        """Places taken now."""
        with self._lock:
            return self._taken.total()


def make_pools() -> dict[str, Pool]:
    """The pools of one process."""
    sizes = {
        HEAVY: settings.ONEMAP_HEAVY_PLACES,
        BODIES: settings.ONEMAP_BODY_PLACES,
        DRAWING: settings.ONEMAP_DRAWING_PLACES,
    }
    return {name: Pool(places, max(1, places // 2)) for name, places in sizes.items()}


def with_pools(application: Application, pools: dict[str, Pool] | None = None) -> Application:
    """The application behind its pools."""
    kept = make_pools() if pools is None else pools

    def pooled(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        kind = kind_of(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        if kind.pool is None:
            return application(environ, start_response)
        pool, caller = kept[kind.pool], caller_of(environ)
        if not pool.enter(caller):
            return _refuse(environ, start_response)
        try:
            body = application(environ, start_response)
        except BaseException:
            pool.leave(caller)
            raise
        return _Body(body, lambda: pool.leave(caller))

    return pooled


class _Body:
    """An answer's body; its place is given back when the server closes it, read to the end or not."""

    def __init__(self, body: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._body, self._leave = body, leave
        self._left = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the body and give the place back, once."""
        if self._left:
            return
        self._left = True
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._leave()


def caller_of(environ: Environ) -> str:
    """Who a request counts for: its credentials, as sent, else its address.

    Credentials that are wrong win nobody a place for long: they are refused before anything heavy begins.
    """
    told = environ.get("HTTP_AUTHORIZATION") or _session(environ.get("HTTP_COOKIE", ""))
    if not told:
        return address_of(environ)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def address_of(environ: Environ) -> str:
    """The sender's address; what a proxy on this machine says of it is believed, what others say is not."""
    address: str = environ.get("REMOTE_ADDR") or ""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    if address in _LOOPBACK and forwarded:
        return str(forwarded.rpartition(",")[2].strip()[:64])
    return address


def _session(cookie: str) -> str:
    parts = (part.strip().partition("=") for part in cookie.split(";"))
    return next((value for name, _, value in parts if name == settings.SESSION_COOKIE_NAME), "")


def _refuse(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    def answer(request: HttpRequest) -> HttpResponse:
        vars(request)["language"] = language_of(request)
        return render(request, TooBusy(retry_after_s=settings.ONEMAP_BUSY_RETRY_S))

    chain: Any = answer
    for link in (SecurityHeadersMiddleware, RequestIdMiddleware):
        chain = link(chain)
    response = chain(WSGIRequest(environ))
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    found: Iterable[bytes] = response
    return found


def letting_go(application: Application, seconds: int) -> Application:
    """The application, whose stalled readers the kernel lets go (see `end_stalled_readers`).

    The server begins to listen after the application is loaded, so its sockets are told at the first request.
    """
    told = threading.Event()

    def watched(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not told.is_set():
            told.set()
            end_stalled_readers(seconds)
        return application(environ, start_response)

    return watched


def end_stalled_readers(seconds: int) -> int:
    """Have the kernel end connections whose reader takes nothing for so long; how many sockets were told.

    A thread that writes to such a reader waits in the server, out of reach of any timeout of ours. Connections
    inherit the option from the socket that listens (tcp(7), TCP_USER_TIMEOUT).
    """
    told = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if not entry.readlink().name.startswith("socket:"):
                continue
            with socket.socket(fileno=socket.dup(int(entry.name))) as copy:
                if copy.family in {socket.AF_INET, socket.AF_INET6} and copy.type == socket.SOCK_STREAM:
                    copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1_000)
                    told += 1
        except OSError:  # closed meanwhile
            continue
    return told
