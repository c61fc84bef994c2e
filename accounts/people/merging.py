"""Departments that are renamed or merged: their rights, layers and history follow."""

from datetime import date
from typing import ClassVar

from django.db import transaction

from accounts import signals
from accounts.actions import department_of
from accounts.models import Department, Post, ServiceKey, User
from accounts.people.importing import keep_name
from spatial.errors import Kind, OnemapError


class BadMerge(OnemapError):
    """Departments that cannot be merged so."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-merge"
    message: ClassVar = "{reason}"
    message_zh: ClassVar = "{reason_zh}"


@transaction.atomic
def rename_department(code: str, name_zh: str, name_en: str, *, by: str) -> Department:
    """Give a department another name; the one before is kept with the day until which it held.

    Raises
    ------
    NoSuchDepartment
    """
    department = department_of(code)
    changes = {
        name: [getattr(department, name), value]
        for name, value in (("name_zh", name_zh), ("name_en", name_en))
        if getattr(department, name) != value
    }
    if changes:
        keep_name(department)
        department.name_zh, department.name_en = name_zh, name_en
        department.save(update_fields=["name_zh", "name_en"])
        signals.department_changed.send(sender=Department, department=department, by=by, changes=changes)
    return department


@transaction.atomic
def merge_departments(source_code: str, target_code: str, day: date, *, by: str) -> Department:
    """Let one department be taken into another from a day on: people, posts, areas and keys move, the office closes.

    What other apps keep for the source (layers, rights) moves in the same transaction: they listen to
    `signals.department_merged`. The source's row stays, with its successor, so that history keeps its name.

    Raises
    ------
    NoSuchDepartment, BadMerge
    """
    source, target = department_of(source_code), department_of(target_code)
    if source in target.ancestors():
        raise BadMerge(
            reason=f"{target_code} lies below {source_code}", reason_zh=f"{target_code} 隶属于 {source_code}"
        )
    for one in (source, target):
        if one.successor is not None:
            raise BadMerge(
                reason=f"{one.code} was merged already", reason_zh=f"{one.code} 此前已并入其他部门"
            )
    User.objects.filter(department=source).update(department=target)
    Post.objects.filter(department=source).update(department=target)
    source.areas.update(department=target)
    ServiceKey.objects.filter(department=source).update(department=target)
    Department.objects.filter(parent=source).update(parent=target)
    source.successor, source.valid_to = target, day
    source.save(update_fields=["successor", "valid_to"])
    signals.department_merged.send(sender=Department, source=source, target=target, day=day, by=by)
    return target
