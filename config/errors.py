"""The one place where a refusal becomes an HTTP answer (RFC 9457 problem+json)."""

import json
import logging
import secrets
import sys
from collections.abc import Callable
from typing import ClassVar

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse

from spatial.errors import Kind, OnemapError
from tiles import reports

log = logging.getLogger("onemap.errors")

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NOT_ACCEPTABLE: 406,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION_FAILED: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.PRECONDITION_REQUIRED: 428,
    Kind.TOO_MANY: 429,
    Kind.BUSY: 503,
    Kind.UNAVAILABLE: 503,
    Kind.STORAGE_FULL: 507,
}
METHOD_NOT_ALLOWED = 405
RETRY_AFTER_S = 2


class NoSuchAddress(OnemapError):
    """No page or service lives at this address."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "not-found"
    message: ClassVar = "there is nothing at this address"
    message_zh: ClassVar = "此地址没有内容"


class MethodNotAllowed(OnemapError):
    """The address does not answer this method."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "method-not-allowed"
    message: ClassVar = "this address answers {allowed}"
    message_zh: ClassVar = "此地址仅支持 {allowed}"


class BadRequestRefused(OnemapError):
    """The request cannot be read as HTTP."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-request"
    message: ClassVar = "the request cannot be read"
    message_zh: ClassVar = "无法读取该请求"


class InvalidRequest(OnemapError):
    """A parameter or a part of the body has the wrong form."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "invalid-request"
    message: ClassVar = "a parameter or a part of the body has the wrong form; facts.places names it"
    message_zh: ClassVar = "参数或内容格式有误，见 facts.places"


class BodyTooBig(OnemapError):
    """The request's body is over the limit."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "body-too-large"
    message: ClassVar = "the request's body is too large"
    message_zh: ClassVar = "请求内容过大"


class CsrfRefused(OnemapError):
    """A page's request came without its token."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "csrf"
    message: ClassVar = "the page is out of date; load it again and repeat"
    message_zh: ClassVar = "页面已过期，请刷新后重试"


class NotPermitted(OnemapError):
    """The account may not do this."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "not-permitted"
    message: ClassVar = "your account may not do this"
    message_zh: ClassVar = "您的账号无权执行此操作"


class OutOfService(OnemapError):
    """Something behind the platform does not answer now."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "out-of-service"
    message: ClassVar = "the service is not available now; try again shortly"
    message_zh: ClassVar = "服务暂时不可用，请稍后重试"


class TookTooLong(OnemapError):
    """The question takes the database longer than a request may take."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "took-too-long"
    message: ClassVar = "the answer took too long; ask for less, or try again later"
    message_zh: ClassVar = "查询超时，请缩小范围或稍后重试"


class OutOfRange(OnemapError):
    """A value does not fit its field."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "value-out-of-range"
    message: ClassVar = "a value does not fit its field"
    message_zh: ClassVar = "某个值超出字段范围"


class ConstraintBroken(OnemapError):
    """What was sent breaks a constraint of the data."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "constraint-broken"
    message: ClassVar = "the data break a constraint of the layer"
    message_zh: ClassVar = "数据违反图层约束"


class AlreadyThere(OnemapError):
    """Something with this name or key exists."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "already-there"
    message: ClassVar = "something with this key is there already"
    message_zh: ClassVar = "已存在相同的键"


class StorageFull(OnemapError):
    """No room is left."""

    kind: ClassVar = Kind.STORAGE_FULL
    code: ClassVar = "storage-full"
    message: ClassVar = "no room is left on the server; nothing was saved"
    message_zh: ClassVar = "服务器存储空间不足，未保存任何内容"


class OurFault(OnemapError):
    """A fault of the platform: logged under the request's id."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "internal-error"
    message: ClassVar = "a fault of the platform; tell the operator the request's id"
    message_zh: ClassVar = "平台内部错误，请将请求编号告知运维人员"


# SQLSTATE (or its class) to refusal: threats.md 2.0.
SQLSTATES: dict[str, type[OnemapError]] = {
    "22": OutOfRange,
    "23505": AlreadyThere,
    "23": ConstraintBroken,
    "40": OutOfService,
    "55P03": OutOfService,
    "57014": TookTooLong,
    "57": OutOfService,
    "08": OutOfService,
    "53100": StorageFull,
    "53": OutOfService,
}


# Django's own refusals, the narrower kinds first.
DJANGO: tuple[tuple[type[Exception], type[OnemapError]], ...] = (
    (Http404, NoSuchAddress),
    (PermissionDenied, NotPermitted),
    (RequestDataTooBig, BodyTooBig),
    (SuspiciousOperation, BadRequestRefused),
    (BadRequest, BadRequestRefused),
)


def request_id(request: HttpRequest) -> str:
    """The request's id: 32 lower-case hex digits."""
    found: str = vars(request).get("onemap_request_id") or secrets.token_hex(16)
    vars(request)["onemap_request_id"] = found
    return found


def of_database(error: DatabaseError | InterfaceError) -> OnemapError | None:
    """The refusal for a database failure; None for one that is our own fault."""
    state = getattr(error.__cause__, "pgcode", None)
    if state is None:
        # No SQLSTATE: the connection itself failed or was lost.
        return OutOfService()
    for prefix in (state, state[:2]):
        if prefix in SQLSTATES:
            return SQLSTATES[prefix]()
    return None


def translated(error: Exception) -> OnemapError | None:
    """The refusal that stands for any exception; None where it is a fault of ours."""
    if isinstance(error, OnemapError):
        return error
    if isinstance(error, DatabaseError | InterfaceError):
        return of_database(error)
    return next((refusal() for kind, refusal in DJANGO if isinstance(error, kind)), None)


def problem(request: HttpRequest, error: OnemapError, status: int | None = None) -> dict[str, object]:
    """The problem document of a refusal (RFC 9457), in the reader's language."""
    language = getattr(request, "language", "zh")
    return {
        "type": f"about:blank#{error.code}",
        "title": (type(error).__doc__ or error.code).strip().splitlines()[0]
        if language == "en"
        else error.text("zh"),
        "status": status or STATUS[error.kind],
        "code": error.code,
        "detail": error.text(language),
        "facts": {name: value for name, value in error.facts.items()},
        "request_id": request_id(request),
    }


def _document(request: HttpRequest, error: OnemapError, status: int | None) -> tuple[str, str]:
    """The refusal in the words of the service that was asked, and its media type."""
    if request.path.startswith(reports.SERVICES):
        version = next((str(value) for name, value in request.GET.items() if name.upper() == "VERSION"), "")
        language = getattr(request, "language", "zh")
        return reports.report(request.path, version, error, language, request_id(request))
    body = problem(request, error, status)
    return json.dumps(body, ensure_ascii=False, default=str), "application/problem+json"


def render(request: HttpRequest, error: OnemapError, status: int | None = None) -> HttpResponse:
    """Answer a request with a refusal."""
    text, media = _document(request, error, status)
    response = HttpResponse(text, content_type=media, status=status or STATUS[error.kind])
    response.headers["Cache-Control"] = "no-store"
    if error.kind in {Kind.BUSY, Kind.UNAVAILABLE, Kind.TOO_MANY} and response.status_code != 500:
        response.headers["Retry-After"] = str(error.facts.get("retry_after_s", RETRY_AFTER_S))
    # A script of our pages shows the refusal itself; a browser told of Basic would ask on its own.
    if error.kind is Kind.UNAUTHENTICATED and "X-Requested-With" not in request.headers:
        response.headers["WWW-Authenticate"] = 'Basic realm="onemap", charset="UTF-8"'
    return response


def render_exception(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer any exception; what is no refusal is logged as a fault and says only its id."""
    known = translated(error)
    if known is not None:
        return render(request, known)
    log.error("fault at %s", request.path, exc_info=error, extra={"request_id": request_id(request)})
    return render(request, OurFault(), status=500)


class RequestIdMiddleware:
    """Give every request an id and send it back as X-Request-Id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; add its id to the answer."""
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id(request)
        return response


class ErrorsMiddleware:
    """Turn what views raise into problem documents."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; a refused method is told like every other refusal."""
        response = self.get_response(request)
        if response.status_code != METHOD_NOT_ALLOWED:
            return response
        told = render(request, MethodNotAllowed(allowed=response.headers["Allow"]), METHOD_NOT_ALLOWED)
        told.headers["Allow"] = response.headers["Allow"]
        return told

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Answer what a view raised."""
        return render_exception(request, error)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404."""
    return render(request, NoSuchAddress())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400."""
    return render(request, BadRequestRefused())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: what a middleware raised arrives here, still being handled."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception):
        return render_exception(request, error)
    return render(request, OurFault(), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW."""
    return render(request, CsrfRefused())


def no_permission(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403."""
    return render(request, NotPermitted())
