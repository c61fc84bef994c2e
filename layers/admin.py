"""The catalogue in the administration pages: titles, secrecy, styles, fields' facts, grants. Never features."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.principals import who_asks
from layers.models import CodeList, CodeValue, Field, Grant, Layer, Theme
from process import audit


class FieldInline(admin.TabularInline):
    """Facts of fields; names and types come from the import."""

    model = Field
    extra = 0
    can_delete = False
    fields = (
        "name",
        "type",
        "alias_zh",
        "alias_en",
        "unit",
        "required",
        "minimum",
        "maximum",
        "max_length",
        "code_list",
    )
    readonly_fields = ("name", "type")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Fields are added by imports."""
        return False


@admin.register(Layer)
class LayerAdmin(admin.ModelAdmin):
    """A layer's metadata."""

    list_display = (
        "name",
        "title_zh",
        "theme",
        "department",
        "secrecy",
        "feature_count",
        "revision",
        "changed_at",
    )
    list_filter = ("theme", "secrecy", "demo")
    search_fields = ("name", "title_zh", "title_en")
    inlines = (FieldInline,)
    exclude = ("extent", "first_levels", "deleted_at")
    readonly_fields = (
        "name",
        "family",
        "valid_time",
        "key_field",
        "demo",
        "revision",
        "changed_at",
        "feature_count",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Layers are made by imports."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Layers are taken away by `manage.py layer delete`, which keeps them for thirty days."""
        return False

    def save_model(self, request: HttpRequest, obj: Layer, form: Any, change: bool) -> None:
        """Save, and leave a record."""
        super().save_model(request, obj, form, change)
        audit.record(who_asks(request), "layer.describe", "layer", obj.name, changed=form.changed_data)


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin):
    """Who may do what; areas are given by `manage.py grant --area`."""

    list_display = (
        "id",
        "layer",
        "theme",
        "to",
        "department",
        "role",
        "user",
        "actions",
        "fields",
        "area_label",
        "until",
    )
    list_filter = ("to", "theme")
    search_fields = ("layer__name", "department__code", "user__username")
    exclude = ("area", "created_by")
    readonly_fields = ("area_label",)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """Save, and leave a record."""
        who = who_asks(request)
        obj.created_by = obj.created_by or who.name
        super().save_model(request, obj, form, change)
        named = obj.layer.name if obj.layer else obj.theme.code if obj.theme else "*"
        audit.record(who, "grant.give", "layer", named, grant=obj.pk, to=obj.to, actions=obj.actions)

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """Take back, and leave a record."""
        audit.record(
            who_asks(request),
            "grant.take_back",
            "layer",
            str(obj.layer or obj.theme or "*"),
            grant=obj.pk,
        )
        super().delete_model(request, obj)


class CodeValueInline(admin.TabularInline):
    """Codes of a list."""

    model = CodeValue
    extra = 1


@admin.register(CodeList)
class CodeListAdmin(admin.ModelAdmin):
    """Code lists by edition."""

    list_display = ("code", "edition", "title_zh")
    inlines = (CodeValueInline,)


admin.site.register(Theme)
