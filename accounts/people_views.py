"""The roster through the API, and the departments to choose from."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts.guard import caller
from accounts.models import Department
from accounts.people.importing import import_roster
from accounts.people.roster import BadRoster, template
from accounts.principals import Principal, who_asks
from spatial.errors import Kind, OnemapError

router = Router(tags=["people"], auth=caller)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    return {
        "departments": [
            {
                "code": one.code,
                "name_zh": one.name_zh,
                "name_en": one.name_en,
                "parent": one.parent.code if one.parent else None,
            }
            for one in listed
        ]
    }


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
