"""What is settled of a request before any view looks at it: its body's form, and how long its statements may take."""

from collections.abc import Callable
from typing import ClassVar

from django.http import HttpRequest, HttpResponse

from config.errors import render
from config.kinds import kind_of
from layers import limits
from spatial.errors import Kind, OnemapError


class EncodedBody(OnemapError):
    """A compressed body: how large it would become cannot be told before it is unpacked."""

    kind: ClassVar = Kind.UNSUPPORTED
    code: ClassVar = "encoded-body"
    message: ClassVar = "send the body as it is, without Content-Encoding"
    message_zh: ClassVar = "请求体不得压缩，请去掉 Content-Encoding"


class PlainBodyMiddleware:
    """Refuse request bodies with a Content-Encoding (threats.md P-04)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass a plain request on."""
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
            return render(request, EncodedBody())
        return self.get_response(request)


class StatementLimitMiddleware:
    """Answer a request under the statement limit of its kind (layers.limits)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        kind = kind_of(str(request.method), request.path_info, request.META.get("QUERY_STRING", ""))
        with limits.during(kind.limit):
            return self.get_response(request)
