"""Jobs over HTTP: for who asked for them, and for administrators."""

import pytest
from django.test import Client

from accounts.actions import create_key, ensure_department, ensure_role, ensure_user
from accounts.models import User
from process.jobs import enqueue

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.process.urls")]


@pytest.fixture
def office():
    return ensure_department("data", "数据管理", "Data")


@pytest.fixture
def people(office):
    admin = ensure_role("admin", "管理员", "Administrator")
    for name, roles in (("lin", []), ("wang", []), ("chief", [admin])):
        ensure_user(name, "a-long-password", office, roles, name)
    clients = {name: Client(enforce_csrf_checks=True) for name in ("lin", "wang", "chief")}
    for name, client in clients.items():
        client.force_login(User.objects.get(username=name), "django.contrib.auth.backends.ModelBackend")
    return clients


@pytest.fixture
def job():
    return enqueue("work", {}, created_by="user:lin")


def token(client):
    return client.get("/api/session").json()["csrf_token"]


@pytest.mark.parametrize(("who", "status"), [("lin", 200), ("wang", 404), ("chief", 200)])
def test_a_job_is_shown_to_its_creator_and_to_administrators(people, job, who, status):
    assert people[who].get(f"/api/jobs/{job.pk}").status_code == status


def test_another_s_job_and_no_job_are_the_same_answer(people, job):
    answers = [people["wang"].get(f"/api/jobs/{number}").json() for number in (job.pk, job.pk + 1, 2**40, -1)]
    for answer in answers:
        answer.pop("request_id")
    assert answers[0]["code"] == "job-not-found"
    assert all(answer == answers[0] for answer in answers)


def test_the_public_s_job_is_shown_to_nobody(client):
    job = enqueue("work", {}, created_by="public")
    assert client.get(f"/api/jobs/{job.pk}").status_code == 404


def test_the_creator_cancels(people, job):
    answer = people["lin"].post(f"/api/jobs/{job.pk}/cancel", headers={"X-CSRFToken": token(people["lin"])})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


def test_a_foreign_page_cannot_cancel(people, job):
    answer = people["lin"].post(f"/api/jobs/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_key_needs_no_page(office, client):
    key, text = create_key(office, "harvest", None, "user:lin")
    job = enqueue("work", {}, created_by="key:data/harvest")
    caller = Client(enforce_csrf_checks=True)
    answer = caller.post(f"/api/jobs/{job.pk}/cancel", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
