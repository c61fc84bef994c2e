"""Reading what a request says about its sender, before any view sees it."""

import base64
import binascii

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.principals import PUBLIC, BadCredentials, Principal, principal_of_key, principal_of_user

HEADER_LIMIT = 1024


def key_in(header: str) -> str:
    """The key in an Authorization header: `Bearer KEY`, or Basic with any user name and the key as password.

    Raises
    ------
    BadCredentials
        Another scheme, or a header that cannot be read: what was meant as credentials is never taken as none.
    """
    scheme, _, rest = header[:HEADER_LIMIT].strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return rest
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(rest, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise BadCredentials() from None
        _, colon, password = decoded.partition(":")
        if colon and password:
            return password
    raise BadCredentials()


def principal_of_request(request: HttpRequest) -> Principal:
    """Who sends this request: a key if one is given, else the session's person, else the public.

    Raises
    ------
    BadCredentials
        A key was given and is not valid; the session, if there is one too, is not asked.
    """
    header = request.headers.get("Authorization")
    if header is not None:
        return principal_of_key(key_in(header))
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        user = request.user
        if isinstance(user, User):
            return principal_of_user(user)
    return PUBLIC
