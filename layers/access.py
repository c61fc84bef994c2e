"""Who may do what with a layer, told to people: everybody who reaches it, and why one of them does or does not."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.clearance import Clearance
from accounts.models import Department, Role, User, is_open
from accounts.principals import ADMIN_ROLE, PUBLIC, Principal, principal_of_user
from layers import catalogue
from layers.catalogue import GrantInfo, LayerInfo
from layers.rights import Action, grants_reaching

WORDS = {
    Action.VIEW: "查看",
    Action.QUERY: "查询",
    Action.DOWNLOAD: "下载",
    Action.EDIT: "编辑",
    Action.PUBLISH: "发布",
    Action.ADMIN: "管理",
}


@dataclass(frozen=True)
class Person:
    """Someone with an account, as rights see one."""

    id: int
    department_id: int | None
    department_ids: frozenset[int]
    roles: frozenset[str]
    clearance: Clearance


class Staff:
    """All departments, roles and active accounts, read once."""

    def __init__(self, today: date | None = None) -> None:
        self.today = today or timezone.localdate()

    @cached_property
    def departments(self) -> dict[int, Department]:
        """Departments by id."""
        return Department.objects.in_bulk()

    @cached_property
    def users(self) -> dict[int, User]:
        """Active accounts by id."""
        return User.objects.filter(is_active=True).in_bulk()

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Roles by code."""
        return Role.objects.in_bulk(field_name="code")

    def chain(self, department_id: int | None) -> list[Department]:
        """The department and all above it, nearest first."""
        found: list[Department] = []
        while department_id is not None and len(found) < len(self.departments):
            found.append(self.departments[department_id])
            department_id = found[-1].parent_id
        return found

    @cached_property
    def people(self) -> list[Person]:
        """Every active account with what it reaches, as `principal_of_user` has it."""
        roles: dict[int, set[str]] = defaultdict(set)
        for listed in (
            User.objects.values_list("pk", "roles__code"),
            User.objects.filter(posts__closed=False).values_list("pk", "posts__roles__code"),
        ):
            for pk, code in listed:
                roles[pk].add(code)
        return [self._person(one, roles[pk]) for pk, one in self.users.items()]

    def _person(self, user: User, roles: Iterable[str]) -> Person:
        chain = self.chain(user.department_id)
        if not is_open(chain, self.today):
            return Person(user.pk, user.department_id, frozenset(), frozenset(), Clearance.PUBLIC)
        levels = [Clearance(user.clearance), *(Clearance(one.clearance) for one in chain[:1])]
        held = {code for code in roles if code} | ({ADMIN_ROLE} if user.is_superuser else set())
        above = frozenset(one.pk for one in chain)
        return Person(user.pk, user.department_id, above, frozenset(held), min(levels))

    def name_of(self, grant: GrantInfo) -> tuple[str, str, str]:
        """The grantee as grants are given (`department:CODE`), and its names in Chinese and English."""
        if grant.to == "department" and grant.department_id in self.departments:
            office = self.departments[grant.department_id]
            return f"department:{office.code}", office.name_zh, office.name_en or office.name_zh
        if grant.to == "role" and grant.role in self.roles:
            role = self.roles[grant.role]
            return f"role:{role.code}", role.name_zh, role.name_en or role.name_zh
        if grant.to == "user":
            user = self.users.get(grant.user_id or 0)
            shown = user.shown_name() if user else ""
            return (f"user:{user.username}", shown, shown) if user else ("user:", "已停用", "left")
        return "public", "公众", "the public"


def reaches(grant: GrantInfo, one: Person) -> bool:
    """Whether a grant is to this person, or to a department or role of theirs."""
    if grant.to == "department":
        return grant.department_id in one.department_ids
    if grant.to == "role":
        return grant.role in one.roles
    return grant.to == "public" or grant.user_id == one.id


def who_reaches(layer: LayerInfo) -> dict[str, Any]:
    """Everybody who may do anything with a layer.

    Returns
    -------
    dict
        `rows`: one per grantee with the actions, the limits of each grant, and how many accounts it reaches (None
        for the public); `departments`: how many accounts of each reach the layer; `people`: how many in all.
        Accounts whose clearance is below the layer's level count nowhere.
    """
    staff, now = Staff(), timezone.now()
    grants = [
        one
        for one in catalogue.current().grants_by_layer.get(layer.id, ())
        if (one.until is None or now < one.until) and (one.valid_from is None or now >= one.valid_from)
    ]
    cleared = [one for one in staff.people if one.clearance >= layer.secrecy]
    by_grantee: dict[tuple[str, str, str], list[GrantInfo]] = defaultdict(list)
    for grant in grants:
        by_grantee[staff.name_of(grant)].append(grant)
    inside = [one for one in cleared if any(reaches(grant, one) for grant in grants)]
    rows = [_row(names, given, cleared, layer) for names, given in sorted(by_grantee.items())]
    return {"rows": rows, "departments": _per_department(staff, inside), "people": len(inside)}


def _row(
    names: tuple[str, str, str], grants: list[GrantInfo], cleared: list[Person], layer: LayerInfo
) -> dict[str, Any]:
    public = grants[0].to == "public"
    reached = [one for one in cleared if any(reaches(grant, one) for grant in grants)]
    return {
        "to": names[0],
        "to_name": names[1],
        "to_name_en": names[2],
        "actions": [one.value for one in Action if any(one in grant.actions for grant in grants)],
        "limits": [_limits(grant) for grant in grants],
        "people": None if public else len(reached),
        # A grant to the public opens nothing that is not public.
        "closed_by_secrecy": layer.secrecy > Clearance.PUBLIC if public else not reached,
    }


def _limits(grant: GrantInfo) -> dict[str, Any]:
    return {
        "grant": grant.id,
        "actions": [one.value for one in Action if one in grant.actions],
        "fields": sorted(grant.fields) if grant.fields is not None else None,
        "area_label": (grant.area_label or "drawn") if grant.area is not None else None,
        "until": grant.until,
        "on": on_what(grant),
    }


def on_what(grant: GrantInfo) -> str:
    """'layer', 'theme' or 'all'."""
    return "layer" if grant.layer_id is not None else "theme" if grant.theme_id is not None else "all"


def _per_department(staff: Staff, inside: list[Person]) -> list[dict[str, Any]]:
    counts: dict[int, int] = defaultdict(int)
    for one in inside:
        if one.department_id is not None:
            counts[one.department_id] += 1
    listed = sorted((staff.departments[pk].code, pk) for pk in counts)
    return [
        {
            "code": code,
            "name_zh": staff.departments[pk].name_zh,
            "name_en": staff.departments[pk].name_en,
            "people": counts[pk],
        }
        for code, pk in listed
    ]


def principal_called(to: str) -> Principal | None:
    """Someone to explain for: `user:U`, `department:CODE` (a member of it without any role), `role:R`, `public`.

    None if there is nobody of that name.
    """
    kind, _, name = to.partition(":")
    if to == "public":
        return PUBLIC
    if "\x00" in name:  # no text of the database
        return None
    if kind == "user":
        user = User.objects.select_related("department").filter(username=name, is_active=True).first()
        return principal_of_user(user) if user else None
    if kind == "role" and Role.objects.filter(code=name).exists():
        # A role alone has no clearance of its own: the highest, so that only grants decide.
        return Principal("role", to, None, None, frozenset(), frozenset({name}), Clearance.SENSITIVE)
    office = Department.objects.filter(code=name).first() if kind == "department" else None
    if office is None:
        return None
    chain = office.ancestors()
    above = frozenset(one.pk for one in chain) if is_open(chain) else frozenset()
    level = Clearance(office.clearance) if above else Clearance.PUBLIC
    return Principal("department", to, None, None, above, frozenset(), level, office.code)


def explained(principal: Principal, layer: LayerInfo) -> list[dict[str, Any]]:
    """Per action whether `principal` may, and the sentences that say why, in Chinese and English."""
    staff = Staff()
    cleared = principal.clearance >= layer.secrecy
    given = grants_reaching(principal, layer) if cleared else []
    told = []
    for action in Action:
        sentences = [_sentence(one, staff) for one in given if action in one.actions]
        if not cleared:
            sentences = [_not_cleared(principal, layer)]
        told.append(
            {
                "action": action.value,
                "allowed": cleared and bool(sentences),
                "zh": [zh for zh, _ in sentences] or [f"没有任何授权给予{WORDS[action]}权限"],
                "en": [en for _, en in sentences] or [f"no grant gives {action.value}"],
            }
        )
    return told


def _not_cleared(principal: Principal, layer: LayerInfo) -> tuple[str, str]:
    level, needed = principal.clearance, layer.secrecy
    return (
        f"涉密级别为“{level.label}”，低于图层密级“{needed.label}”，任何授权均不生效",
        f"cleared for {level.value}, the layer is {needed.value}: no grant counts",
    )


def _sentence(grant: GrantInfo, staff: Staff) -> tuple[str, str]:
    _, zh, en = staff.name_of(grant)
    on = {
        "layer": ("本图层", "this layer"),
        "theme": ("所属专题", "its theme"),
        "all": ("全部图层", "every layer"),
    }
    below = ("及其下属", " and below") if grant.to == "department" else ("", "")
    limits, limits_zh = [], []
    if grant.fields is not None:
        limits.append(f"fields {', '.join(sorted(grant.fields))}")
        limits_zh.append(f"限字段 {'、'.join(sorted(grant.fields))}")
    if grant.area is not None:
        limits.append(f"area {grant.area_label or 'drawn'}")
        limits_zh.append(f"限范围 {grant.area_label or '绘制区域'}")
    if grant.until is not None:
        limits.append(f"until {grant.until.isoformat()}")
        limits_zh.append(f"有效至 {grant.until.isoformat()}")
    actions = [one for one in Action if one in grant.actions]
    zh_on, en_on = on[on_what(grant)]
    told_zh = f"授权 {grant.id}：{zh}{below[0]}可对{zh_on}{'、'.join(WORDS[one] for one in actions)}"
    told_en = f"grant {grant.id}: {en}{below[1]} may {', '.join(actions)} on {en_on}"
    return (
        told_zh + (f"（{'；'.join(limits_zh)}）" if limits_zh else ""),
        told_en + (f" ({'; '.join(limits)})" if limits else ""),
    )
