"""The roster through the API: for administrators alone."""

import json

import pytest

from accounts.models import Department, User
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


def act(caller: Caller, method: str, path: str, body: dict):
    answer = caller.client.generic(method, path, json.dumps(body), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_a_department_is_renamed_and_its_former_name_is_kept(administrator):
    people.offices()
    status, told = act(
        administrator, "PUT", "/api/departments/water", {"name_zh": "水务局", "name_en": "Water"}
    )
    assert (status, told["name_zh"]) == (200, "水务局")
    assert [one.name_zh for one in Department.objects.get(code="water").former_names.all()] == ["部门 water"]
    assert act(administrator, "PUT", "/api/departments/water", {"name_zh": " "})[0] in {400, 422}
    assert act(administrator, "PUT", "/api/departments/none", {"name_zh": "无"})[0] == 404


def test_a_department_is_merged_and_its_people_follow(administrator):
    offices = people.offices()
    people.person("lin", offices["water"])
    status, told = act(
        administrator, "POST", "/api/departments/water/merge", {"into": "emergency", "on": "2026-07-01"}
    )
    assert (status, told["code"]) == (200, "emergency")
    assert User.objects.get(username="lin").department.code == "emergency"
    assert "water" not in {one["code"] for one in administrator.json("/api/departments")["departments"]}
    for pair in (("water", "data"), ("data", "water"), ("data", "data"), ("city", "data")):
        status, problem = act(administrator, "POST", f"/api/departments/{pair[0]}/merge", {"into": pair[1]})
        assert (status, problem["code"]) == (422, "bad-merge"), pair


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/departments/water", {"name_zh": "水"}),
        ("POST", "/api/departments/water/merge", {"into": "data"}),
    ],
)
def test_departments_are_changed_by_administrators_alone(method, path, body):
    caller = people.person("lin", people.offices()["water"])
    assert act(caller, method, path, body)[1]["code"] == "administrators-only"
    assert act(Caller("public"), method, path, body)[0] in {401, 403}
