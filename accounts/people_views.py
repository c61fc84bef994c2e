"""The roster through the API, and the departments to choose from."""

from datetime import date
from typing import Annotated, Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, StringConstraints

from accounts.guard import caller
from accounts.models import Department
from accounts.people.importing import import_roster
from accounts.people.merging import merge_departments, rename_department
from accounts.people.roster import BadRoster, template
from accounts.principals import Principal, who_asks
from spatial.errors import Kind, OnemapError

router = Router(tags=["people"], auth=caller)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00]*$")]
NeededName = Annotated[Name, StringConstraints(min_length=1)]


class NamesIn(Schema):
    """The names a department is to have."""

    model_config = ConfigDict(extra="forbid")

    name_zh: NeededName
    name_en: Name = ""


class MergeIn(Schema):
    """Which department takes the other in, and its first day as one; today if none is given."""

    model_config = ConfigDict(extra="forbid")

    into: Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
    on: date | None = None


class AdministratorsOnly(OnemapError):
    """People and departments are kept by administrators."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "administrators-only"
    message: ClassVar = "this is for administrators of the platform"
    message_zh: ClassVar = "此功能仅供平台管理员使用"


def administrator(request: HttpRequest) -> Principal:
    """The caller, if it administers the platform.

    Raises
    ------
    AdministratorsOnly
    """
    principal = who_asks(request)
    if not principal.is_admin:
        raise AdministratorsOnly()
    return principal


@router.get("/departments", summary="The departments")
def departments(request: HttpRequest) -> dict[str, Any]:
    """Those that are open, by code; empty for the public."""
    listed = Department.objects.filter(successor=None).select_related("parent")
    if who_asks(request).kind == "public":
        listed = listed.none()
    return {"departments": [_told(one) for one in listed]}


def _told(one: Department) -> dict[str, Any]:
    return {
        "code": one.code,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "parent": one.parent.code if one.parent else None,
    }


@router.put("/departments/{code}", summary="Rename a department")
def rename(request: HttpRequest, code: str, body: NamesIn) -> dict[str, Any]:
    """The name before is kept with the day until which it held."""
    principal = administrator(request)
    return _told(rename_department(code, body.name_zh, body.name_en, by=principal.name))


@router.post("/departments/{code}/merge", summary="Merge a department into another")
def merge(request: HttpRequest, code: str, body: MergeIn) -> dict[str, Any]:
    """People, posts, areas, keys, layers and rights move at once; the answer is who has them now."""
    principal = administrator(request)
    day = body.on or timezone.localdate()
    return _told(merge_departments(code, body.into, day, by=principal.name))


@router.get("/people/template.xlsx", summary="An empty roster")
def roster_template(request: HttpRequest) -> HttpResponse:
    """A workbook with a sheet for departments, posts, areas and people."""
    administrator(request)
    response = HttpResponse(template(), content_type=WORKBOOK)
    response.headers["Content-Disposition"] = 'attachment; filename="roster.xlsx"'
    return response


@router.post("/people", summary="Import a roster")
def roster(request: HttpRequest, dry_run: bool = True, accept: str = "") -> HttpResponse | dict[str, Any]:
    """The body is the workbook. On trial unless `dry_run=false`; first passwords of new accounts come once."""
    principal = administrator(request)
    if request.content_type not in {WORKBOOK, "application/octet-stream"}:
        raise BadRoster(reason="the body is no .xlsx workbook", reason_zh="请求内容不是 .xlsx 工作簿")
    accepted = [code for code in accept.split(",") if code]
    report, passwords = import_roster(request.body, by=principal.name, dry_run=dry_run, accept=accepted)
    return report | {"passwords": passwords}
