"""What a request says about its sender."""

import base64

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import create_key, revoke_key
from accounts.credentials import key_in, principal_of_request
from accounts.principals import PUBLIC, BadCredentials
from tests.accounts.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.process.urls")]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def key(transport):
    return create_key(transport, "ogc", None, "user:admin")


def ask(header=None):
    headers = {} if header is None else {"Authorization": header}
    return principal_of_request(RequestFactory().get("/plain", headers=headers))


def test_no_credentials_are_the_public():
    assert ask() is PUBLIC


@pytest.mark.parametrize("name", ["", "transport", "any:thing"])
def test_basic_takes_the_key_as_password_under_any_name(key, name):
    name = name.replace(":", "")
    assert ask(basic(name, key[1])).key_id == key[0].pk


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_takes_the_key(key, scheme):
    assert ask(f"{scheme} {key[1]}").key_id == key[0].pk


def test_the_login_password_is_no_key(lin):
    with pytest.raises(BadCredentials):
        ask(basic("lin", PASSWORD))


UNREADABLE = [
    *("", " ", "Bearer", "Bearer ", "Bearer a b", "Bearer \xff", "Digest x=1", "omk_abc"),
    *("Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic bmFtZTo=", "Basic /w=="),
]


@pytest.mark.parametrize("header", UNREADABLE)
def test_what_was_meant_as_credentials_is_never_the_public(header):
    with pytest.raises(BadCredentials):
        ask(header)


@given(text=st.text(max_size=200))
def test_any_header_is_a_key_or_a_refusal(text):
    try:
        assert key_in(text)
    except BadCredentials as refusal:
        assert refusal.code == "bad-credentials"


@pytest.mark.parametrize("path", ["/plain", "/api/session", "/admin/login/", "/no-such-page"])
def test_every_view_answers_a_wrong_key_with_401(client, path):
    answer = client.get(path, headers={"Authorization": "Bearer omk_wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad-credentials")
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_key_beside_a_good_session_is_still_401(client, lin):
    client.force_login(lin, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/session").json()["user"]["username"] == "lin"
    assert client.get("/api/session", headers={"Authorization": "Bearer omk_wrong"}).status_code == 401


def test_a_revoked_key_is_refused_at_the_next_request(client, key):
    headers = {"Authorization": f"Bearer {key[1]}"}
    assert client.get("/api/session", headers=headers).json()["display_name"] == "key:transport/ogc"
    revoke_key(key[0], "user:admin")
    assert client.get("/api/session", headers=headers).status_code == 401


def test_a_visitor_without_cookie_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/plain").content == b"plain"
