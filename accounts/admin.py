"""Accounts in Django's admin pages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models, transaction
from django.dispatch import Signal
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts import signals
from accounts.actions import create_key, revoke_key
from accounts.models import Department, Role, ServiceKey, User
from accounts.people.importing import keep_name

SECRET_FIELDS = {"password", "password1", "password2", "usable_password"}


def by_whom(request: HttpRequest) -> str:
    """The administrator's name as the audit writes it."""
    return f"user:{request.user.get_username()}"


def told(value: object) -> object:
    """A form value as JSON can hold it."""
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, models.QuerySet | list | tuple):
        return [str(one) for one in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def changes_in(form: "ModelForm[Any]") -> dict[str, list[object]]:
    """What the form changes: field to [before, after]. Of a password it is told only that it changed."""
    return {
        name: ["…", "…"]
        if name in SECRET_FIELDS
        else [told(form.initial.get(name)), told(form.cleaned_data.get(name))]
        for name in form.changed_data
    }


class KeptAdmin(admin.ModelAdmin):
    """What is named by the audit is never deleted, and every change of it is told."""

    changed: ClassVar[Signal]
    subject: ClassVar[str]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nothing is deleted here: offices are closed, people made inactive, keys revoked."""
        return False

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        """Save, then tell, in one transaction."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            facts = {self.subject: form.instance, "by": by_whom(request), "changes": changes_in(form)}
            self.changed.send(sender=self.model, **facts)


@admin.register(Department)
class DepartmentAdmin(KeptAdmin):
    """Departments."""

    changed = signals.department_changed
    subject = "department"
    list_display = ("code", "name_zh", "name_en", "parent", "clearance", "valid_from", "valid_to")
    list_filter = ("clearance",)
    search_fields = ("code", "name_zh", "name_en")
    autocomplete_fields = ("parent",)

    def save_model(self, request: HttpRequest, obj: Department, form: "ModelForm[Any]", change: bool) -> None:
        """Save; a name that is changed is kept, as where the API renames."""
        if change and {"name_zh", "name_en"} & set(form.changed_data):
            keep_name(Department.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)


@admin.register(Role)
class RoleAdmin(KeptAdmin):
    """Roles."""

    changed = signals.role_changed
    subject = "role"
    list_display = ("code", "name_zh", "name_en")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(User)
class PersonAdmin(KeptAdmin, UserAdmin):
    """People."""

    changed = signals.user_changed
    subject = "user"
    list_display = ("username", "display_name", "department", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "roles")
    search_fields = ("username", "display_name")
    autocomplete_fields = ("department",)
    filter_horizontal = ("roles", "groups", "user_permissions")
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("一张图 onemap", {"fields": ("display_name", "department", "roles", "clearance")}),
    )
    add_fieldsets = (
        *UserAdmin.add_fieldsets,
        ("一张图 onemap", {"fields": ("display_name", "department", "roles", "clearance")}),
    )


@admin.register(ServiceKey)
class ServiceKeyAdmin(admin.ModelAdmin):
    """Service keys: made here with their text shown once, revoked here, never changed."""

    list_display = ("prefix", "department", "name", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("department",)
    search_fields = ("prefix", "name", "department__code")
    fields = ("department", "name", "expires_at")
    autocomplete_fields = ("department",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A key is not changed; the list, with its action, is for those who may make keys."""
        return obj is None and self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A key is revoked, never deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: ServiceKey, form: "ModelForm[Any]", change: bool) -> None:
        """Make the key, and keep its text for the one page that shows it."""
        made, text = create_key(obj.department, obj.name, obj.expires_at, by_whom(request))
        obj.pk = made.pk
        vars(request)["new_key"] = text

    def response_add(
        self, request: HttpRequest, obj: ServiceKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key; the page is kept by no cache, and the key in no cookie."""
        context = {
            **self.admin_site.each_context(request),
            "key": vars(request)["new_key"],
            "title": "服务密钥 / Service key",
        }
        response = TemplateResponse(request, "accounts/service_key_shown.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.action(description="吊销所选密钥 / Revoke the selected keys", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: models.QuerySet[ServiceKey]) -> None:
        """End the selected keys at once."""
        for key in queryset.select_related("department"):
            revoke_key(key, by_whom(request))


admin.site.site_header = "一张图 onemap"
