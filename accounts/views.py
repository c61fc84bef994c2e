"""Logging in and out, and who one is."""

from typing import ClassVar

from django.contrib import auth
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.views.decorators.debug import sensitive_variables
from ninja import Field, Router, Schema

from accounts.guard import caller
from accounts.models import Department, User
from accounts.principals import PUBLIC, Principal, principal_of_user
from accounts.throttling import refusal, refuse_locked
from spatial.errors import Kind, OnemapError

router = Router(tags=["accounts"], auth=caller)


class LoginRefused(OnemapError):
    """Name or password is wrong; which of them is not said."""

    kind: ClassVar = Kind.UNAUTHENTICATED
    code: ClassVar = "login-refused"
    message: ClassVar = "the name or the password is wrong"
    message_zh: ClassVar = "用户名或密码错误"


class LoginIn(Schema):
    """What a person types."""

    username: str = Field(min_length=1, max_length=150)
    password: str = Field(min_length=1, max_length=1024)


class UserOut(Schema):
    """The person logged in."""

    id: int
    username: str
    display_name: str


class DepartmentOut(Schema):
    """A department, in both languages."""

    code: str
    name_zh: str
    name_en: str


class SessionOut(Schema):
    """Who the caller is to the platform; `user` is null for a key and for the public."""

    user: UserOut | None
    display_name: str
    department: DepartmentOut | None
    roles: list[str]
    clearance: str
    csrf_token: str
    language: str


def person_out(user: User) -> UserOut:
    """A person, as the page shows one."""
    return UserOut(id=user.pk, username=user.get_username(), display_name=user.shown_name())


def session_of(request: HttpRequest, principal: Principal) -> SessionOut:
    """The session document of a principal."""
    user = User.objects.filter(pk=principal.user_id).first() if principal.user_id else None
    department = Department.objects.filter(code=principal.department_code).first()
    return SessionOut(
        user=person_out(user) if user else None,
        display_name=user.shown_name() if user else ("" if principal.kind == "public" else principal.name),
        department=DepartmentOut.from_orm(department) if department else None,
        roles=sorted(principal.roles),
        clearance=principal.clearance.value,
        csrf_token=get_token(request),
        language=getattr(request, "language", "zh"),
    )


@router.get("/session", response=SessionOut, summary="Who am I")
def read_session(request: HttpRequest) -> SessionOut:
    """The caller, and the token (`X-CSRFToken`) that a page's unsafe requests need."""
    return session_of(request, vars(request)["principal"])


@router.post("/login", response=SessionOut, summary="Log in")
@sensitive_variables("body")
def log_in(request: HttpRequest, body: LoginIn) -> SessionOut:
    """Open a session under a new id. Unknown names take as long and are told the same as wrong passwords."""
    username = body.username.replace("\0", "\ufffd")
    refuse_locked(request, username)
    user = auth.authenticate(request, username=username, password=body.password)
    if user is None:
        raise refusal(request) if vars(request).get("axes_locked_out") else LoginRefused()
    request.session.cycle_key()  # Django keeps the id when the same person logs in again
    auth.login(request, user)
    return session_of(request, principal_of_user(user))


@router.post("/logout", response=SessionOut, summary="Log out")
def log_out(request: HttpRequest) -> SessionOut:
    """Close the session; a second time changes nothing."""
    auth.logout(request)
    return session_of(request, PUBLIC)
