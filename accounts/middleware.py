"""Every request has a principal."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.credentials import principal_of_request
from accounts.principals import caller_address
from accounts.refusals import render_error
from spatial.errors import OnemapError


class PrincipalMiddleware:
    """Set `request.principal`; answer 401 to a wrong key, whatever the view would have done.

    It stands after the session and authentication middleware. The refusal is answered here, since Django
    shows what a middleware raises to no other middleware's `process_exception`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find out who asks, then pass the request on."""
        token = caller_address.set(request.META.get("REMOTE_ADDR") or None)
        try:
            vars(request)["principal"] = principal_of_request(request)
            return self.get_response(request)
        except OnemapError as error:
            return render_error(request, error)
        finally:
            caller_address.reset(token)
