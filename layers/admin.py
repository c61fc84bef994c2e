"""The catalogue in the administration pages: titles, secrecy, styles, fields' facts, grants. Never features."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.principals import who_asks
from layers.models import CodeList, CodeMapping, CodeValue, Field, Grant, Layer, Theme
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


def _in_use(code_list: CodeList | None) -> bool:
    """Whether a field takes its values from this list."""
    return code_list is not None and Field.objects.filter(code_list=code_list).exists()


class CodeValueInline(admin.TabularInline):
    """Codes of a list. A list in use is extended here; its codes are changed by the API, which looks at the data."""

    model = CodeValue
    extra = 0
    fields = ("code", "parent", "title_zh", "title_en", "colour", "selectable", "mark")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The codes of a list in use are read only."""
        return super().has_change_permission(request, obj) and not _in_use(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A code that a field may hold stays."""
        return super().has_delete_permission(request, obj) and not _in_use(obj)


@admin.register(CodeList)
class CodeListAdmin(admin.ModelAdmin):
    """Code lists by edition."""

    list_display = ("code", "edition", "title_zh", "title_en", "valid_from", "valid_to")
    list_filter = ("code",)
    search_fields = ("code", "edition", "title_zh", "title_en", "source")
    inlines = (CodeValueInline,)
    actions = None  # one by one, so that each leaves a record

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name of a list in use stays."""
        return ("code", "edition") if _in_use(obj) else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A list in use stays."""
        return super().has_delete_permission(request, obj) and not _in_use(obj)

    def save_model(self, request: HttpRequest, obj: CodeList, form: Any, change: bool) -> None:
        """Save, and leave a record."""
        super().save_model(request, obj, form, change)
        verb, name = "codes.change" if change else "codes.add", f"{obj.code}@{obj.edition}"
        audit.record(who_asks(request), verb, "code-list", name, changed=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: CodeList) -> None:
        """Take away, and leave a record."""
        audit.record(who_asks(request), "codes.remove", "code-list", f"{obj.code}@{obj.edition}")
        super().delete_model(request, obj)


@admin.register(CodeValue)
class CodeValueAdmin(admin.ModelAdmin):
    """Codes of all lists, to be searched; they are changed on the page of their list."""

    list_display = ("code", "title_zh", "title_en", "code_list", "parent", "colour", "selectable", "mark")
    list_filter = ("code_list", "mark", "selectable")
    search_fields = ("code", "title_zh", "title_en")
    list_select_related = ("code_list",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Codes are added to a list."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Codes are changed with their list."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Codes are taken away with their list."""
        return super().has_delete_permission(request, obj) and not (obj and _in_use(obj.code_list))


@admin.register(CodeMapping)
class CodeMappingAdmin(admin.ModelAdmin):
    """How codes of one edition read in another."""

    list_display = ("source", "target", "relation", "note")
    list_filter = ("relation", "source__code_list", "target__code_list")
    search_fields = ("source__code", "source__title_zh", "target__code", "target__title_zh", "note")
    autocomplete_fields = ("source", "target")
    list_select_related = ("source", "target")

    def save_model(self, request: HttpRequest, obj: CodeMapping, form: Any, change: bool) -> None:
        """Save, and leave a record."""
        super().save_model(request, obj, form, change)
        audit.record(who_asks(request), "codes.map", "code-list", str(obj)[:200], relation=obj.relation)


admin.site.register(Theme)
