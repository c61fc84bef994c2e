"""Logging in and out."""

import statistics
import time

import pytest
from django.conf import global_settings
from django.test import Client

from accounts.models import User
from process.models import AuditRecord
from tests.accounts.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.process.urls")]


class Browser(Client):
    """A page that sends the token it was given."""

    def __init__(self, **kwargs):
        super().__init__(enforce_csrf_checks=True, **kwargs)

    def session_document(self):
        return self.get("/api/session").json()

    def send(self, path, body=None, **kwargs):
        token = self.session_document()["csrf_token"]
        return self.post(path, body or {}, "application/json", headers={"X-CSRFToken": token}, **kwargs)

    def log_in(self, username="lin", password=PASSWORD, **kwargs):
        return self.send("/api/login", {"username": username, "password": password}, **kwargs)


@pytest.fixture
def browser():
    return Browser()


def test_the_public_s_session(browser):
    told = browser.session_document()
    assert told.pop("csrf_token")
    assert told == {
        "user": None,
        "display_name": "",
        "department": None,
        "roles": [],
        "clearance": "public",
        "language": "zh",
    }


def test_the_session_after_a_login(browser, lin):
    answer = browser.log_in()
    assert answer.status_code == 200
    told = browser.session_document()
    assert told["user"] == {"id": lin.pk, "username": "lin", "display_name": "林"}
    assert told["department"] == {"code": "transport", "name_zh": "交通", "name_en": "Transport"}
    assert (told["roles"], told["clearance"], told["display_name"]) == (["planner"], "internal", "林")
    assert answer.json()["user"] == told["user"]


def test_a_login_needs_the_page_s_token(lin):
    answer = Client(enforce_csrf_checks=True).post(
        "/api/login", {"username": "lin", "password": PASSWORD}, "application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_a_login_gets_a_new_session_id(browser, lin):
    browser.log_in()
    first = browser.cookies["sessionid"].value
    browser.log_in()
    assert browser.cookies["sessionid"].value != first


def test_a_logout_ends_the_session_for_good(browser, lin):
    browser.log_in()
    stolen = browser.cookies["sessionid"].value
    assert browser.send("/api/logout").json()["user"] is None
    thief = Browser()
    thief.cookies["sessionid"] = stolen
    assert thief.session_document()["user"] is None


@pytest.mark.parametrize("end", ["password", "deactivated"])
def test_a_changed_password_and_a_leaver_end_all_sessions(browser, lin, end):
    browser.log_in()
    if end == "password":
        lin.set_password("another long password")
    else:
        lin.is_active = False
    lin.save()
    assert browser.session_document()["user"] is None


@pytest.mark.parametrize(
    ("username", "password"), [("lin", "wrong"), ("nobody", PASSWORD), ("LIN", PASSWORD), ("lin\0", PASSWORD)]
)
def test_wrong_name_and_wrong_password_are_one_answer(browser, lin, username, password):
    answer = browser.log_in(username, password)
    told = answer.json()
    told.pop("request_id")
    assert answer.status_code == 401
    assert (told["code"], told["detail"], told["facts"]) == ("login-refused", "用户名或密码错误", {})


def test_a_leaver_is_told_what_a_stranger_is_told(browser, lin):
    User.objects.update(is_active=False)
    assert browser.log_in().json()["code"] == "login-refused"


@pytest.fixture
def costly_hash(settings):
    """The hash of the platform in use: it takes long, as it must."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS


@pytest.mark.alone
def test_an_unknown_name_takes_as_long_as_a_wrong_password(costly_hash, browser, lin):
    assert lin.password.startswith("pbkdf2_sha256$")

    def seconds(username):
        began = time.perf_counter()
        browser.log_in(username, "wrong", REMOTE_ADDR=f"10.0.0.{len(taken[username])}")
        return time.perf_counter() - began

    taken = {"lin": [], "nobody": []}
    for _ in range(4):
        for name, times in taken.items():
            times.append(seconds(name))
    known, unknown = (statistics.median(times) for times in taken.values())
    assert 0.5 < known / unknown < 2


def test_five_wrong_passwords_lock_the_name_for_that_address_alone(browser, lin):
    answers = [browser.log_in(password="wrong").status_code for _ in range(4)]
    assert answers == [401] * 4
    fifth = browser.log_in(password="wrong")
    assert (fifth.status_code, fifth.json()["code"]) == (429, "too-many-tries")
    right = browser.log_in()
    assert (right.status_code, right["Retry-After"]) == (429, "600")
    assert Browser().log_in(REMOTE_ADDR="10.9.9.9").status_code == 200
    assert AuditRecord.objects.filter(action="login.refused").count() == 5


def test_a_locked_name_is_refused_at_the_admin_s_door_too(lin):
    User.objects.update(is_staff=True)
    door = Client()
    for _ in range(5):
        door.post("/admin/login/", {"username": "lin", "password": "wrong"})
    answer = door.post("/admin/login/", {"username": "lin", "password": PASSWORD})
    assert answer.status_code == 429
    assert Browser().log_in().status_code == 429


def test_a_success_forgets_the_failures_before(browser, lin):
    for _ in range(4):
        browser.log_in(password="wrong")
    assert browser.log_in().status_code == 200
    assert browser.log_in(password="wrong").status_code == 401


def test_logins_are_in_the_audit_with_their_address(browser, lin):
    browser.log_in(password="wrong")
    browser.log_in()
    browser.send("/api/logout")
    told = list(AuditRecord.objects.order_by("id").values_list("actor", "action", "object_name", "address"))
    assert told == [
        ("public", "login.refused", "lin", "127.0.0.1"),
        ("user:lin", "login", "lin", "127.0.0.1"),
        ("user:lin", "logout", "lin", "127.0.0.1"),
    ]
    assert PASSWORD not in str(list(AuditRecord.objects.values()))


def test_more_fields_than_asked_for_change_nothing(browser, lin):
    body = {
        "username": "lin",
        "password": PASSWORD,
        "is_superuser": True,
        "roles": ["admin"],
        "clearance": "sensitive",
    }
    assert browser.send("/api/login", body).status_code == 200
    lin.refresh_from_db()
    assert (lin.is_superuser, lin.clearance, browser.session_document()["roles"]) == (
        False,
        "internal",
        ["planner"],
    )
