"""The hook by which this app lets the site answer a refusal outside of views."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from spatial.errors import OnemapError


def render_error(request: HttpRequest, error: OnemapError) -> HttpResponse:
    """The site's answer to a refusal: `settings.ONEMAP_ERROR_RENDERER`, called with request and error."""
    response: HttpResponse = import_string(settings.ONEMAP_ERROR_RENDERER)(request, error)
    return response
