"""The admin pages of accounts."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions import create_key, ensure_user
from accounts.models import Department, ServiceKey, User
from accounts.principals import principal_of_key
from process.models import AuditRecord
from tests.accounts.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.process.urls")]


@pytest.fixture
def chief():
    person = ensure_user("chief", PASSWORD, None, [], "主管", is_superuser=True)
    client = Client()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_key_is_shown_once_when_it_is_made(chief, transport):
    answer = chief.post("/admin/accounts/servicekey/add/", {"department": transport.pk, "name": "ogc"})
    text = answer.context["key"]
    assert principal_of_key(text).department_code == "transport"
    assert text in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert text not in str(answer.cookies) + str(chief.session.items())
    assert text not in chief.get("/admin/accounts/servicekey/").content.decode()
    assert AuditRecord.objects.get(action="key.create").actor == "user:chief"


def test_selected_keys_are_revoked(chief, transport):
    key, _ = create_key(transport, "ogc", None, "user:chief")
    chief.post("/admin/accounts/servicekey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_key_can_be_neither_changed_nor_deleted(chief, transport):
    key, _ = create_key(transport, "ogc", None, "user:chief")
    chief.post(f"/admin/accounts/servicekey/{key.pk}/change/", {"department": transport.pk, "name": "other"})
    chief.post(f"/admin/accounts/servicekey/{key.pk}/delete/", {"post": "yes"})
    assert ServiceKey.objects.get().name == "ogc"


def test_a_change_of_a_department_is_in_the_audit_before_and_after(chief, transport, city):
    body = {
        "code": "transport",
        "name_zh": "交通局",
        "name_en": "Transport",
        "parent": city.pk,
        "clearance": "public",
    }
    assert chief.post(f"/admin/accounts/department/{transport.pk}/change/", body).status_code == 302
    told = AuditRecord.objects.get(action="department.change")
    assert told.facts["changes"] == {"name_zh": ["交通", "交通局"], "clearance": ["internal", "public"]}
    (former,) = transport.former_names.all()
    assert (former.name_zh, former.valid_to) == ("交通", timezone.localdate())
    transport.refresh_from_db()
    assert transport.name_zh == "交通局"


def test_a_change_that_renames_nothing_keeps_no_name(chief, transport, city):
    body = {"code": "transport", "name_zh": "交通", "name_en": transport.name_en, "parent": city.pk}
    answer = chief.post(f"/admin/accounts/department/{transport.pk}/change/", {**body, "clearance": "public"})
    assert answer.status_code == 302
    assert AuditRecord.objects.filter(action="department.change").count() == 1
    assert not transport.former_names.exists()


def test_a_department_cannot_be_below_itself(chief, transport, city):
    body = {"code": "city", "name_zh": "市", "name_en": "", "parent": transport.pk, "clearance": "internal"}
    assert chief.post(f"/admin/accounts/department/{city.pk}/change/", body).status_code == 200
    assert Department.objects.get(pk=city.pk).parent is None


def test_people_are_not_deleted(chief, lin):
    assert chief.post(f"/admin/accounts/user/{lin.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=lin.pk).exists()


def test_a_password_set_here_is_not_in_the_audit(chief):
    body = {"username": "wang", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    answer = chief.post("/admin/accounts/user/add/", {**body, "clearance": "internal", "display_name": "王"})
    assert answer.status_code == 302
    told = AuditRecord.objects.get(action="user.change")
    assert told.object_name == "wang"
    assert PASSWORD not in str(told.facts)


@pytest.mark.parametrize("page", ["department", "role", "user", "servicekey"])
def test_every_list_and_form_opens(chief, transport, page):
    assert chief.get(f"/admin/accounts/{page}/").status_code == 200
    assert chief.get(f"/admin/accounts/{page}/add/").status_code == 200
