"""The roster through the API: for administrators alone."""

import json

import pytest

from accounts.models import User
from accounts.people_views import WORKBOOK
from tests import people
from tests.accounts.test_people import everybody, roles  # noqa: F401 - a fixture
from tests.people import Caller

pytestmark = pytest.mark.django_db


def send(caller: Caller, content: bytes, query: str = "", media: str = WORKBOOK):
    answer = caller.client.generic("POST", f"/api/people{query}", content, content_type=media)
    return answer.status_code, json.loads(answer.content)


@pytest.fixture
def administrator():
    return people.person("root", None, clearance="sensitive", is_superuser=True)


def test_a_roster_is_tried_first_and_then_taken(administrator):
    status, report = send(administrator, everybody())
    assert (status, report["dry_run"], report["passwords"]) == (200, True, {})
    status, report = send(administrator, everybody(), "?dry_run=false")
    assert (status, report["status"], sorted(report["passwords"])) == (200, "done", ["00812", "lin"])
    assert User.objects.get(username="lin").check_password(report["passwords"]["lin"])


def test_another_media_type_is_refused(administrator):
    status, problem = send(administrator, b"a,b", media="text/csv")
    assert (status, problem["code"]) == (422, "bad-roster")


@pytest.mark.parametrize("path", ["/api/people/template.xlsx", "/api/people"])
def test_others_may_not(path):
    caller = people.person("lin", None)
    method = "GET" if path.endswith("xlsx") else "POST"
    answer = caller.client.generic(method, path, everybody(), content_type=WORKBOOK)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "administrators-only")


def test_the_template_comes_as_a_workbook(administrator):
    answer = administrator.get("/api/people/template.xlsx")
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")


def test_departments_are_listed_for_those_who_are_known(administrator):
    people.offices()
    listed = administrator.json("/api/departments")["departments"]
    assert {"code": "transport", "parent": "city"}.items() <= {
        key: value for one in listed if one["code"] == "transport" for key, value in one.items()
    }.items()
    assert Caller("public").json("/api/departments") == {"departments": []}
