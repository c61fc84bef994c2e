"""The caller of the JSON API, with the check that a browser's unsafe request comes from our own page."""

from typing import ClassVar

from django.http import HttpRequest
from ninja.utils import check_csrf

from accounts.principals import Principal
from spatial.errors import Kind, OnemapError


class ForeignPage(OnemapError):
    """The request did not come from a page of this site, or the page is out of date."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "csrf"
    message: ClassVar = "the page is out of date; load it again and repeat"
    message_zh: ClassVar = "页面已过期，请刷新后重试"


def caller(request: HttpRequest) -> Principal:
    """The request's principal; give it to django-ninja as `auth=caller`. The public is a caller too.

    Cookies are sent by browsers whoever wrote the page, keys are not: so everything but a key's request needs
    the token (`X-CSRFToken`) when its method changes something.

    Raises
    ------
    ForeignPage
        The token is missing or wrong.
    """
    principal: Principal = vars(request)["principal"]
    if principal.kind != "key" and check_csrf(request) is not None:
        raise ForeignPage()
    return principal
