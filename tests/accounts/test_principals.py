"""Who is asking, and what of that still holds."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import create_key, ensure_department, revoke_key
from accounts.clearance import Clearance
from accounts.models import Department, ServiceKey, is_open
from accounts.principals import PUBLIC, BadCredentials, principal_of_key, principal_of_user
from process.models import AuditRecord

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture
def key(transport):
    return create_key(transport, "ogc", None, "user:admin")


def test_a_person_brings_department_roles_and_clearance(lin, transport, city):
    asking = principal_of_user(lin)
    assert (asking.kind, asking.name, asking.user_id, asking.key_id) == ("user", "user:lin", lin.pk, None)
    assert asking.department_ids == {transport.pk, city.pk}
    assert (asking.roles, asking.clearance) == ({"planner"}, Clearance.INTERNAL)
    assert (asking.department_code, asking.is_admin) == ("transport", False)


@pytest.mark.parametrize("person", Clearance)
@pytest.mark.parametrize("office", Clearance)
def test_the_clearance_is_the_lower_of_person_and_department(lin, transport, person, office):
    Department.objects.filter(pk=transport.pk).update(clearance=office)
    lin.department.clearance = office
    lin.clearance = person
    assert principal_of_user(lin).clearance == min(person, office)


def test_without_a_department_the_person_s_own_clearance_counts(lin):
    lin.department, lin.clearance = None, "sensitive"
    asking = principal_of_user(lin)
    assert (asking.clearance, asking.department_ids) == (Clearance.SENSITIVE, frozenset())


def test_who_runs_the_platform_is_an_administrator(lin):
    lin.is_superuser = True
    assert principal_of_user(lin).is_admin


def test_a_person_of_a_closed_department_sees_what_the_public_sees(lin, city):
    Department.objects.filter(pk=city.pk).update(valid_to=timezone.localdate())
    asking = principal_of_user(lin)
    assert (asking.department_ids, asking.roles, asking.clearance) == (
        frozenset(),
        frozenset(),
        Clearance.PUBLIC,
    )


def test_a_key_brings_its_department(key, transport, city):
    record, text = key
    asking = principal_of_key(text)
    assert (asking.kind, asking.name, asking.user_id, asking.key_id) == (
        "key",
        "key:transport/ogc",
        None,
        record.pk,
    )
    assert asking.department_ids == {transport.pk, city.pk}
    assert (asking.roles, asking.clearance) == (frozenset(), Clearance.INTERNAL)


def test_a_key_costs_two_queries(key):
    principal_of_key(key[1])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        principal_of_key(key[1])
    assert len(queries) == 2


def test_the_text_of_a_key_is_kept_nowhere(key):
    record, text = key
    assert text.startswith("omk_") and len(text) == 47
    stored = ServiceKey.objects.filter(pk=record.pk).values().get()
    assert text not in str(stored)
    assert stored["prefix"] == text[:12]
    assert text not in str(list(AuditRecord.objects.values()))


@pytest.mark.parametrize(
    "spoil", ["expired", "revoked", "department closed", "above closed", "not open yet", "unknown"]
)
def test_every_key_that_does_not_open_gets_the_same_answer(key, transport, city, spoil):
    record, text = key
    yesterday, tomorrow = (timezone.localdate() + timedelta(days=days) for days in (-1, 1))
    spoils = {
        "expired": lambda: ServiceKey.objects.update(expires_at=timezone.now()),
        "revoked": lambda: revoke_key(record, "user:admin"),
        "department closed": lambda: Department.objects.filter(pk=transport.pk).update(valid_to=yesterday),
        "above closed": lambda: Department.objects.filter(pk=city.pk).update(valid_to=yesterday),
        "not open yet": lambda: Department.objects.filter(pk=transport.pk).update(valid_from=tomorrow),
        "unknown": lambda: ServiceKey.objects.all().delete(),
    }
    assert principal_of_key(text).kind == "key"
    spoils[spoil]()
    with pytest.raises(BadCredentials) as refusal:
        principal_of_key(text)
    assert (refusal.value.code, refusal.value.facts) == ("bad-credentials", {})


def test_the_audit_is_told_of_a_refused_key_once_a_minute(key):
    revoke_key(key[0], "user:admin")
    for _ in range(5):
        with pytest.raises(BadCredentials):
            principal_of_key(key[1])
    told = AuditRecord.objects.filter(action="key.refused").get()
    assert (told.actor, told.facts["why"]) == ("key:transport/ogc", "revoked")


def test_use_is_noted_to_the_minute(key):
    record, text = key
    principal_of_key(text)
    first = ServiceKey.objects.get(pk=record.pk).last_used_at
    principal_of_key(text)
    assert ServiceKey.objects.get(pk=record.pk).last_used_at == first is not None


@given(text=st.text(max_size=80))
def test_no_text_opens_by_accident(text):
    with pytest.raises(BadCredentials):
        principal_of_key(text)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "opened"),
    [
        (None, None, True),
        (TODAY, None, True),
        (TODAY + timedelta(days=1), None, False),
        (None, TODAY + timedelta(days=1), True),
        (None, TODAY, False),
    ],
)
def test_the_first_day_counts_and_the_last_does_not(valid_from, valid_to, opened):
    assert is_open([Department(valid_from=valid_from, valid_to=valid_to)], TODAY) is opened


def test_departments_know_who_is_above_and_below(city, transport):
    street = ensure_department("street", "街道", "Street", transport)
    assert [one.code for one in street.ancestors()] == ["street", "transport", "city"]
    assert [one.code for one in city.subtree()] == ["city", "transport", "street"]


def test_a_tree_that_bites_its_tail_still_ends(city, transport):
    Department.objects.filter(pk=city.pk).update(parent=transport)
    assert {one.code for one in transport.ancestors()} == {"transport", "city"}
    assert {one.code for one in transport.subtree()} == {"transport", "city"}


def test_the_public_has_nothing():
    assert (PUBLIC.name, PUBLIC.department_ids, PUBLIC.roles) == ("public", frozenset(), frozenset())
    assert PUBLIC.clearance == Clearance.PUBLIC
