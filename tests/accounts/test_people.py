"""The roster: what a workbook says of departments, posts, areas and people becomes so, or nothing does."""

import io
from datetime import date

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from openpyxl import Workbook, load_workbook

from accounts.actions import ensure_role
from accounts.models import Area, Department, Post, User
from accounts.people.importing import import_roster
from accounts.people.merging import BadMerge, merge_departments, rename_department
from accounts.people.roster import SHEETS, BadRoster, read_roster, template
from accounts.principals import principal_of_user
from layers.actions.grants import Grantee, give
from layers.models import Grant, Theme
from process.models import AuditRecord

pytestmark = pytest.mark.django_db

OFFICES = [
    ("qq-planning", "前海规划处", "Qianhai planning", "qianhai", "internal", None, None),
    ("qianhai", "前海管理局", "Qianhai authority", "", "", None, None),
]
POSTS = [("p-draw", "规划编制岗", "", "qq-planning", "planner;reviewer")]
AREAS = [("a-1", "前湾片区", "", "qianhai", "440305001;440305002")]
PEOPLE = [
    ("lin", "林小梅", "qq-planning", "p-draw", "", "a-1", "internal", None),
    ("00812", "陈大文", "qianhai", "", "reviewer", "", "", None),
]


def workbook(**sheets):
    book = Workbook()
    book.remove(book.active)
    for key, (title, columns) in SHEETS.items():
        sheet = book.create_sheet(title)
        sheet.append([f"{column.title} {column.key}" for column in columns])
        for row in sheets.get(key, ()):
            sheet.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def everybody(**changed):
    given = {"departments": OFFICES, "posts": POSTS, "areas": AREAS, "users": PEOPLE}
    return workbook(**{**given, **changed})


@pytest.fixture(autouse=True)
def roles():
    ensure_role("planner", "规划编制", "Planner")
    ensure_role("reviewer", "规划审查", "Reviewer")
    ensure_role("admin", "管理员", "Administrator")


def test_the_template_is_a_roster_without_rows():
    read = read_roster(template())
    assert (read.faults, {key: len(rows) for key, rows in read.rows.items()}) == (
        [],
        dict.fromkeys(SHEETS, 0),
    )
    assert load_workbook(io.BytesIO(template())).sheetnames == ["部门", "岗位", "责任区", "人员"]


def test_a_roster_makes_the_tree_the_posts_and_accounts_that_can_log_in():
    report, passwords = import_roster(everybody(), by="user:root")
    assert (report["status"], report["faults"]) == ("done", [])
    assert report["sheets"]["departments"]["added"] == report["sheets"]["users"]["added"] == 2
    lin = User.objects.get(username="lin")
    assert principal_of_user(lin).roles == {"planner", "reviewer"}
    assert [area.divisions for area in lin.areas.all()] == [["440305001", "440305002"]]
    assert Department.objects.get(code="qq-planning").parent.code == "qianhai"
    assert User.objects.get(username="00812").check_password(passwords["00812"])
    assert AuditRecord.objects.filter(action="people.import", actor="user:root").count() == 1


def test_the_same_roster_again_changes_nothing():
    import_roster(everybody(), by="user:root")
    report, passwords = import_roster(everybody(), by="user:root")
    assert (report["changes"], passwords) == ([], {})
    assert report["sheets"]["users"]["unchanged"] == 2


def test_a_trial_run_tells_all_and_does_nothing():
    report, passwords = import_roster(everybody(), by="user:root", dry_run=True)
    assert report["sheets"]["users"]["added"] == 2
    assert (passwords, User.objects.filter(username="lin").exists()) == ({}, False)
    assert not Post.objects.exists() and not Area.objects.exists()


def test_who_left_is_closed_and_who_comes_back_is_opened():
    import_roster(everybody(), by="user:root")
    away = [("lin", "林小梅", "qq-planning", "p-draw", "", "a-1", "internal", date(2026, 1, 31)), PEOPLE[1]]
    report, _ = import_roster(everybody(users=away), by="user:root")
    assert (report["sheets"]["users"]["closed"], User.objects.get(username="lin").is_active) == (1, False)
    import_roster(everybody(), by="user:root")
    assert User.objects.get(username="lin").is_active
    report, _ = import_roster(everybody(users=PEOPLE[:1]), by="user:root")
    assert {"sheet": "users", "op": "closed", "code": "00812", "fields": {}} in report["changes"]
    assert not User.objects.get(username="00812").is_active


def test_many_leavers_at_once_wait_for_a_person():
    crowd = [(f"u{number}", f"员工{number}", "qianhai", "", "", "", "", None) for number in range(12)]
    import_roster(everybody(users=crowd), by="user:root")
    report, _ = import_roster(everybody(users=crowd[:6]), by="user:root")
    assert (report["status"], report["held"][0]["code"]) == ("held", "leavers-many")
    assert User.objects.filter(is_active=True, imported=True).count() == 12
    report, _ = import_roster(everybody(users=crowd[:6]), by="user:root", accept=["leavers-many"])
    assert (report["status"], User.objects.filter(is_active=True, imported=True).count()) == ("done", 6)


def test_every_fault_is_named_by_sheet_row_and_column_and_nothing_is_kept():
    bad = everybody(
        departments=[
            *OFFICES,
            ("lost", "无上级", "", "nowhere", "", None, None),
            (None, "无代码", "", "", "", None, None),
        ],
        posts=[("p-x", "岗", "", "qianhai", "admin")],
        areas=[("a-x", "区", "", "qianhai", "福田")],
        users=[
            *PEOPLE,
            ("lin", "又一个", "qianhai", "", "", "", "", None),
            ("wu", "吴", "qianhai", "", "", "", "top", "32.13"),
        ],
    )
    report, _ = import_roster(bad, by="user:root")
    named = {(one["sheet"], one["row"], one["column"]) for one in report["faults"]}
    assert named >= {
        ("departments", 4, "parent"),
        ("departments", 5, "code"),
        ("posts", 2, "roles"),
        ("areas", 2, "divisions"),
        ("users", 4, "username"),
        ("users", 5, "clearance"),
        ("users", 5, "left_on"),
    }
    assert report["status"] == "failed" and not Department.objects.filter(code="qianhai").exists()


def test_departments_that_bite_their_tails_are_refused():
    rows = [("a", "甲", "", "b", "", None, None), ("b", "乙", "", "a", "", None, None)]
    report, _ = import_roster(workbook(departments=rows), by="user:root")
    assert {(one["row"], one["column"]) for one in report["faults"]} == {(2, "parent"), (3, "parent")}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"<html>", b"\xd0\xcf\x11\xe0" + b"x" * 600])
def test_what_is_no_workbook_is_refused(content):
    with pytest.raises(BadRoster):
        read_roster(content)


def test_a_renamed_department_is_known_by_its_former_name_too():
    import_roster(everybody(), by="user:root")
    rename_department("qianhai", "前海合作区管理局", "Qianhai cooperation authority", by="user:root")
    office = Department.objects.get(code="qianhai")
    assert [one.name_zh for one in office.former_names.all()] == ["前海管理局"]
    assert office.name_zh == "前海合作区管理局"


def test_rights_and_people_follow_a_merged_department():
    import_roster(everybody(), by="user:root")
    source, target = (Department.objects.get(code=code) for code in ("qq-planning", "qianhai"))
    city = Department.objects.create(code="new-city", name_zh="新区规划局")
    ground = MultiPolygon(Polygon(((114, 22), (115, 22), (115, 23), (114, 22))), srid=4490)
    give(
        Grantee(department=source),
        ["view"],
        by="user:root",
        theme=Theme.objects.get(code="plan"),
        area=ground,
    )
    merge_departments("qq-planning", "new-city", date(2026, 1, 1), by="user:root")
    lin = User.objects.get(username="lin")
    assert (lin.department, principal_of_user(lin).department_ids) == (city, frozenset({city.pk}))
    assert Grant.objects.get(theme__code="plan").department == city
    source.refresh_from_db()
    assert (source.successor, source.valid_to) == (city, date(2026, 1, 1))
    with pytest.raises(BadMerge):
        merge_departments("qq-planning", "qianhai", date(2026, 1, 1), by="user:root")
    assert target.successor is None
    assert AuditRecord.objects.filter(action="department.merge", object_name="qq-planning").exists()
