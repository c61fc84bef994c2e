"""The JSON API: every app's router under one address."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from accounts.people_views import router as people_router
from accounts.views import router as accounts_router
from config.errors import BadRequestRefused, InvalidRequest, NoSuchAddress, render
from layers.views import router as layers_router
from process.upload_views import router as uploads_router
from process.views import router as process_router
from spatial import strictjson
from spatial.errors import OnemapError

MOST_BYTES, FEW_BYTES = 20_000_000, 1_000_000
IN_NUMBERS = ("/api/layers/", "/api/code-lists/", "/api/changesets")


class StrictParser(Parser):
    """Bodies as the platform's one strict reader takes them: no NaN, no duplicate keys, no depth without end."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value of a JSON body: 20 MB where features, areas or codes come in numbers, else 1 MB."""
        many = request.path_info.startswith(IN_NUMBERS)
        return strictjson.loads(request.body, max_bytes=MOST_BYTES if many else FEW_BYTES)


api = NinjaAPI(
    title="一张图 onemap", version="1", docs_url="/docs", openapi_url="/openapi.json", parser=StrictParser()
)
api.add_router("", accounts_router)
api.add_router("", people_router)
api.add_router("", layers_router)
api.add_router("", process_router)
api.add_router("", uploads_router)


@api.exception_handler(OnemapError)
def refused(request: HttpRequest, error: OnemapError) -> HttpResponse:
    """A refusal of ours."""
    return render(request, error)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A body or parameter of the wrong form: where, and what is wrong, never what was sent."""
    places = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": one["type"]}
        for one in error.errors[:20]
    ]
    return render(request, InvalidRequest(places=places))


@api.exception_handler(AuthenticationError)
def nobody(request: HttpRequest, error: Any) -> HttpResponse:
    """No guard let the caller in."""
    return render(request, NoSuchAddress())


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework itself refuses: a body that is no JSON; the reader's own refusal says why."""
    cause = error.__cause__
    return render(request, cause if isinstance(cause, OnemapError) else BadRequestRefused())
