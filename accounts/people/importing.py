"""From a roster to departments, posts, areas and accounts: all of it or nothing, and first on trial if wanted."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from accounts import signals
from accounts.clearance import Clearance
from accounts.models import Area, Department, DepartmentName, Post, Role, User
from accounts.people.roster import Roster, read_roster
from accounts.principals import ADMIN_ROLE

MANY_LEAVERS = 0.2
MOST_SHOWN = 500
LEVELS = {level.value for level in Clearance}


@dataclass
class Outcome:
    """What a roster did, or would do."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    leavers: int = 0

    def note(self, sheet: str, op: str, code: str, changed: Mapping[str, Any] | None = None) -> None:
        """Count one row; show the first five hundred that change something."""
        counts = self.counts.setdefault(
            sheet, {"added": 0, "changed": 0, "unchanged": 0, "closed": 0, "reopened": 0}
        )
        counts[op] += 1
        if op != "unchanged" and len(self.changes) < MOST_SHOWN:
            self.changes.append({"sheet": sheet, "op": op, "code": code, "fields": dict(changed or {})})


def import_roster(
    content: bytes, *, by: str, dry_run: bool = False, accept: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """Bring the platform's people to what a workbook says.

    People of an earlier roster who are no longer in it have left: their accounts are closed, never deleted. If
    more than a fifth would leave, the roster is held unless `leavers-many` is accepted.

    Returns
    -------
    (dict, dict)
        The report: `status` done, held or failed; `sheets` with counts; `changes`; `faults` with sheet, row,
        column. And the first passwords of new accounts, by user name: shown once, kept nowhere.

    Raises
    ------
    BadRoster
        The file is no roster.
    """
    roster = read_roster(content)
    outcome = Outcome()
    with transaction.atomic():
        _apply(roster, outcome)
        status = "failed" if roster.faults else "done"
        many = outcome.leavers > max(5, MANY_LEAVERS * User.objects.filter(imported=True).count())
        held = [_leavers(outcome.leavers)] if many and "leavers-many" not in accept else []
        if status == "done" and held:
            status = "held"
        if dry_run or status != "done":
            transaction.set_rollback(True)
        else:
            signals.people_imported.send(sender=User, by=by, counts=outcome.counts)
    report = {
        "status": status,
        "dry_run": dry_run,
        "sheets": outcome.counts,
        "changes": outcome.changes,
        "held": held,
        "faults": [one.to_json() for one in roster.faults],
    }
    if roster.faults:
        first = roster.faults[0]
        report["reason"] = (
            f"{len(roster.faults)} faults; the first: {first.sheet} row {first.row}: {first.message}"
        )
    elif held:
        report["reason"] = held[0]["why"]
    kept = status == "done" and not dry_run
    return report, outcome.passwords if kept else {}


def _leavers(count: int) -> dict[str, str]:
    return {
        "code": "leavers-many",
        "why": f"{count} people of the last roster are not in this one; their accounts would be closed",
        "why_zh": f"上次名册中有 {count} 人未出现在本次名册，其账号将被停用",
        "pass": "--accept leavers-many",
    }


def _apply(roster: Roster, outcome: Outcome) -> None:
    _departments(roster, outcome)
    offices = {one.code: one for one in Department.objects.all()}
    roles = {one.code: one for one in Role.objects.exclude(code=ADMIN_ROLE)}
    _posts(roster, outcome, offices, roles)
    _areas(roster, outcome, offices)
    _users(roster, outcome, offices, roles)


def _departments(roster: Roster, outcome: Outcome) -> None:
    waiting = dict(enumerate(roster.rows["departments"]))
    known = {one.code: one for one in Department.objects.all()}
    named = {row["code"] for _, row in waiting.values()}
    while waiting:
        ready = [place for place, (_, row) in waiting.items() if _parent_ready(row, named)]
        if not ready:
            break
        for place in ready:
            number, row = waiting.pop(place)
            named.discard(row["code"])
            _department(roster, outcome, number, row, known)
    for number, row in waiting.values():
        roster.fault(
            "departments",
            number,
            "parent",
            f"{row['parent']} is below itself",
            f"上级 {row['parent']} 形成循环",
        )


def _parent_ready(row: Mapping[str, Any], named: set[str]) -> bool:
    """Whether the row's parent was brought to its values already, or is none of this sheet's."""
    return not row["parent"] or row["parent"] not in named


def _department(
    roster: Roster, outcome: Outcome, number: int, row: dict[str, Any], known: dict[str, Department]
) -> None:
    if row["parent"] and row["parent"] not in known:
        _unknown(roster, "departments", number, "parent", row["parent"])
        return
    if not _cleared(roster, "departments", number, row):
        return
    values = {name: row[name] for name in ("name_zh", "name_en", "valid_from", "valid_to")}
    values |= {"parent": known.get(row["parent"]), "clearance": row["clearance"] or Clearance.INTERNAL.value}
    before = known.get(row["code"])
    if before is not None and before.name_zh != row["name_zh"]:
        keep_name(before)
    known[row["code"]] = _bring(Department, before, row["code"], values, "departments", outcome)


def keep_name(department: Department) -> None:
    """Remember what the department is called until today."""
    DepartmentName.objects.create(
        department=department,
        name_zh=department.name_zh,
        name_en=department.name_en,
        valid_to=timezone.localdate(),
    )


def _bring(
    model: type[Any],
    before: Any,
    code: str,
    values: Mapping[str, Any],
    sheet: str,
    outcome: Outcome,
    identity: str = "code",
    many: Mapping[str, Collection[Any]] | None = None,
) -> Any:
    """Make the row, or bring it to these values; say what changed."""
    if before is None:
        made = model.objects.create(**{identity: code}, **values)
        for name, members in (many or {}).items():
            getattr(made, name).set(members)
        outcome.note(sheet, "added", code)
        return made
    changed = {
        name: [_told(getattr(before, name)), _told(value)]
        for name, value in values.items()
        if getattr(before, name) != value
    }
    for name, members in (many or {}).items():
        now = sorted(str(one) for one in getattr(before, name).all())
        then = sorted(str(one) for one in members)
        if now != then:
            changed[name] = [now, then]
            getattr(before, name).set(members)
    if changed:
        for name, value in values.items():
            setattr(before, name, value)
        before.save()
    outcome.note(sheet, "changed" if changed else "unchanged", code, changed)
    return before


def _told(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value


def _posts(
    roster: Roster, outcome: Outcome, offices: Mapping[str, Department], roles: Mapping[str, Role]
) -> None:
    known = {one.code: one for one in Post.objects.prefetch_related("roles")}
    for number, row in roster.rows["posts"]:
        department = offices.get(row["department"])
        given = _members(roster, ("posts", number, "roles"), row["roles"], roles)
        if department is None:
            _unknown(roster, "posts", number, "department", row["department"])
        elif given is not None:
            values = {
                "name_zh": row["name_zh"],
                "name_en": row["name_en"],
                "department": department,
                "closed": False,
            }
            _bring(Post, known.get(row["code"]), row["code"], values, "posts", outcome, many={"roles": given})


def _areas(roster: Roster, outcome: Outcome, offices: Mapping[str, Department]) -> None:
    known = {one.code: one for one in Area.objects.all()}
    for number, row in roster.rows["areas"]:
        department = offices.get(row["department"])
        wrong = [code for code in row["divisions"] if not (code.isascii() and code.isdigit())]
        if department is None:
            _unknown(roster, "areas", number, "department", row["department"])
        elif wrong:
            roster.fault(
                "areas",
                number,
                "divisions",
                f"{wrong[0]} is no division code",
                f"{wrong[0]} 不是行政区划代码",
            )
        else:
            values = {name: row[name] for name in ("name_zh", "name_en", "divisions")}
            values |= {"department": department, "closed": False}
            _bring(Area, known.get(row["code"]), row["code"], values, "areas", outcome)


def _members(
    roster: Roster, where: tuple[str, int, str], codes: Collection[str], known: Mapping[str, Any]
) -> list[Any] | None:
    """What codes mean; None, with a fault, if one means nothing."""
    for code in codes:
        if code not in known:
            _unknown(roster, *where, code)
            return None
    return [known[code] for code in dict.fromkeys(codes)]


def _users(
    roster: Roster, outcome: Outcome, offices: Mapping[str, Department], roles: Mapping[str, Role]
) -> None:
    known = {one.username: one for one in User.objects.prefetch_related("roles", "posts", "areas")}
    groups: dict[str, Mapping[str, Any]] = {
        "roles": roles,
        "posts": {one.code: one for one in Post.objects.filter(closed=False)},
        "areas": {one.code: one for one in Area.objects.filter(closed=False)},
    }
    for number, row in roster.rows["users"]:
        department = offices.get(row["department"])
        many = {
            name: _members(roster, ("users", number, name), row[name], group)
            for name, group in groups.items()
        }
        if department is None:
            _unknown(roster, "users", number, "department", row["department"])
        elif _cleared(roster, "users", number, row) and None not in many.values():
            kept: dict[str, Collection[Any]] = {
                name: members for name, members in many.items() if members is not None
            }
            _user(outcome, row, department, known.get(row["username"]), kept)
    _close_absent(roster, outcome, known)


def _user(
    outcome: Outcome,
    row: Mapping[str, Any],
    department: Department,
    before: User | None,
    many: dict[str, Collection[Any]],
) -> None:
    away = row["left_on"] is not None and row["left_on"] <= timezone.localdate()
    name = row["username"]
    if before is None and away:
        outcome.note("users", "unchanged", name)  # came and left: no account is made
        return
    values = {
        "display_name": row["display_name"],
        "department": department,
        "clearance": row["clearance"] or Clearance.INTERNAL.value,
        "imported": True,
    }
    if before is not None and before.is_active == away:
        before.is_active = not away
        before.save(update_fields=["is_active"])
        outcome.note("users", "closed" if away else "reopened", name)
    if before is not None:
        # The administrator's role is given by hand and stays with who has it.
        many["roles"] = [*many["roles"], *before.roles.filter(code=ADMIN_ROLE)]
    user = _bring(User, before, name, values, "users", outcome, "username", many)
    if before is None:
        outcome.passwords[name] = secrets.token_urlsafe(12)
        user.set_password(outcome.passwords[name])
        user.save(update_fields=["password"])


def _close_absent(roster: Roster, outcome: Outcome, known: Mapping[str, User]) -> None:
    if not roster.rows["users"]:
        return  # a roster without people says nothing of them
    present = {row["username"] for _, row in roster.rows["users"]}
    for name, user in known.items():
        if user.imported and user.is_active and name not in present:
            user.is_active = False
            user.save(update_fields=["is_active"])
            outcome.leavers += 1
            outcome.note("users", "closed", name)


def _cleared(roster: Roster, sheet: str, number: int, row: Mapping[str, Any]) -> bool:
    if row["clearance"] and row["clearance"] not in LEVELS:
        roster.fault(
            sheet,
            number,
            "clearance",
            f"one of {', '.join(sorted(LEVELS))}",
            f"密级应为 {'、'.join(sorted(LEVELS))}",
        )
        return False
    return True


def _unknown(roster: Roster, sheet: str, number: int, column: str, code: str) -> None:
    roster.fault(sheet, number, column, f"{code} is not known", f"{code} 不存在")
