"""Tables of the accounts app."""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from accounts.clearance import Clearance
from accounts.statements import statement

CODE = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z", "letters, digits, point, dash, underscore")


def clearance_field() -> "models.CharField[str, str]":
    """A column that holds a secrecy level; internal unless said otherwise."""
    return models.CharField(
        "密级 clearance", max_length=16, choices=Clearance.choices, default=Clearance.INTERNAL
    )


class Department(models.Model):
    """An office in a tree of offices, open from `valid_from` until the day before `valid_to`."""

    code = models.CharField("代码 code", max_length=64, unique=True, validators=[CODE])
    name_zh = models.CharField("名称", max_length=120)
    name_en = models.CharField("English name", max_length=120, blank=True, default="")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级 parent"
    )
    clearance = clearance_field()
    valid_from = models.DateField("启用 valid from", null=True, blank=True)
    valid_to = models.DateField("停用 valid to (first day closed)", null=True, blank=True)
    successor = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name="并入 merged into",
    )

    class Meta:
        verbose_name = verbose_name_plural = "部门 departments"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.code})"

    def ancestors(self) -> list["Department"]:
        """The department itself and all above it, nearest first."""
        rows = Department.objects.raw(statement("accounts", "department_ancestors"), {"department": self.pk})
        return list(rows)

    def subtree(self) -> list["Department"]:
        """The department itself and all below it, nearest first, then by code."""
        rows = Department.objects.raw(statement("accounts", "department_subtree"), {"department": self.pk})
        return list(rows)

    def clean(self) -> None:
        """Refuse a period that ends before it begins, and a tree that bites its tail."""
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValidationError({"valid_to": "停用日期须晚于启用日期 / must be later than valid from"})
        if self.pk and self.parent and self in self.parent.ancestors():
            raise ValidationError({"parent": "不能隶属于自身 / a department cannot be below itself"})


def is_open(chain: Iterable[Department], day: date | None = None) -> bool:
    """Whether every department of the chain is open on `day`: a closed office closes all below it."""
    today = day or timezone.localdate()
    return all(
        (one.valid_from is None or one.valid_from <= today) and (one.valid_to is None or today < one.valid_to)
        for one in chain
    )


class Role(models.Model):
    """A function a person has, such as planner or registrar."""

    code = models.CharField("代码 code", max_length=64, unique=True, validators=[CODE])
    name_zh = models.CharField("名称", max_length=120)
    name_en = models.CharField("English name", max_length=120, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "角色 roles"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.code})"


class DepartmentName(models.Model):
    """What a department was called until a day; the name of today is the department's own."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="former_names")
    name_zh = models.CharField("名称", max_length=120)
    name_en = models.CharField("English name", max_length=120, blank=True, default="")
    valid_to = models.DateField("停用 valid to (first day of the next name)")

    class Meta:
        verbose_name = verbose_name_plural = "部门曾用名 former names"
        ordering: ClassVar = ["department", "-valid_to"]

    def __str__(self) -> str:
        return f"{self.name_zh} (–{self.valid_to})"


class Post(models.Model):
    """A post in a department; who holds it has its roles."""

    code = models.CharField("代码 code", max_length=64, unique=True, validators=[CODE])
    name_zh = models.CharField("名称", max_length=120)
    name_en = models.CharField("English name", max_length=120, blank=True, default="")
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="posts", verbose_name="部门 department"
    )
    roles = models.ManyToManyField(Role, blank=True, related_name="posts", verbose_name="角色 roles")
    closed = models.BooleanField("已撤销 closed", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "岗位 posts"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.code})"


class Area(models.Model):
    """An area of duty: a name for one or more divisions, by their codes (GB/T 2260 and the city's own)."""

    code = models.CharField("代码 code", max_length=64, unique=True, validators=[CODE])
    name_zh = models.CharField("名称", max_length=120)
    name_en = models.CharField("English name", max_length=120, blank=True, default="")
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="areas", verbose_name="部门 department"
    )
    divisions = models.JSONField("行政区划代码 division codes", default=list)
    closed = models.BooleanField("已撤销 closed", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "责任区 areas"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return f"{self.name_zh} ({self.code})"


class User(AbstractUser):
    """A person who logs in. Leavers are made inactive, never deleted: the audit names them."""

    display_name = models.CharField("姓名 display name", max_length=120, blank=True, default="")
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name="部门 department",
    )
    roles = models.ManyToManyField(Role, blank=True, related_name="users", verbose_name="角色 roles")
    posts = models.ManyToManyField(Post, blank=True, related_name="holders", verbose_name="岗位 posts")
    areas = models.ManyToManyField(Area, blank=True, related_name="people", verbose_name="责任区 areas")
    clearance = clearance_field()
    imported = models.BooleanField("由名册导入 from the roster", default=False)

    class Meta(AbstractUser.Meta):
        verbose_name = verbose_name_plural = "用户 users"

    def shown_name(self) -> str:
        """The name to show to people."""
        return self.display_name or self.get_username()


class ServiceKey(models.Model):
    """A program's key. Only the digest of its text is kept, so it can be shown once and never again."""

    department = models.ForeignKey(
        Department, models.PROTECT, related_name="service_keys", verbose_name="部门 department"
    )
    name = models.CharField("名称 name", max_length=80)
    prefix = models.CharField("前缀 prefix", max_length=16, db_index=True)
    digest = models.CharField("SHA-256", max_length=64, unique=True)
    created_at = models.DateTimeField("创建 created", default=timezone.now)
    created_by = models.CharField("创建者 created by", max_length=150)
    expires_at = models.DateTimeField("到期 expires", null=True, blank=True)
    revoked_at = models.DateTimeField("吊销 revoked", null=True, blank=True)
    last_used_at = models.DateTimeField("最近使用 last used", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "服务密钥 service keys"
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.department.code}/{self.name} ({self.prefix}…)"
