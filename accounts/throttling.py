"""Guessing passwords is slowed down (django-axes counts, this module answers)."""

from typing import ClassVar

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.http import HttpRequest, HttpResponse

from accounts.refusals import render_error
from spatial.errors import Kind, OnemapError


class TooManyTries(OnemapError):
    """Too many wrong passwords for this name from this address."""

    kind: ClassVar = Kind.TOO_MANY
    code: ClassVar = "too-many-tries"
    message: ClassVar = "too many failed logins; try again in {retry_after_s} seconds"
    message_zh: ClassVar = "登录失败次数过多，请在 {retry_after_s} 秒后重试"


def refusal(request: HttpRequest) -> TooManyTries:
    """The refusal for a name that is locked, with the whole of the cooling-off time."""
    pause = get_cool_off(request)
    return TooManyTries(retry_after_s=int(pause.total_seconds()) if pause else 3600)


def refuse_locked(request: HttpRequest, username: str) -> None:
    """Refuse before the password is looked at.

    Raises
    ------
    TooManyTries
        The name is locked for this address.
    """
    if AxesProxyHandler.is_locked(request, {"username": username}):
        raise refusal(request)


def answer(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """`AXES_LOCKOUT_CALLABLE`: what any door answers once axes has locked a name."""
    return render_error(request, refusal(request))
