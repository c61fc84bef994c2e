"""The caller of the JSON API, with the check that a browser's unsafe request comes from our own page."""

from typing import ClassVar

from django.http import HttpRequest
from ninja.utils import check_csrf

from accounts.principals import Principal
from spatial.errors import Kind, OnemapError


class NulInAddress(OnemapError):
    """The address holds a character that no name and no text of ours has; the database would stumble over it."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "nul-in-address"
    message: ClassVar = "the address holds a NUL character"
    message_zh: ClassVar = "地址中含有空字符（NUL）"


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
    NulInAddress
        In the path or in a parameter.
    ForeignPage
        The token is missing or wrong.
    """
    if "\0" in request.path or any("\0" in text for _, texts in request.GET.lists() for text in texts):
        raise NulInAddress()
    principal: Principal = vars(request)["principal"]
    if principal.kind != "key" and check_csrf(request) is not None:
        raise ForeignPage()
    return principal
