"""The catalogue: themes, layers, their fields, grants of rights, and the feed of changes.

The features themselves live in one typed table per layer (schemas `data` and `history`, see layers/tables.py).
"""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

from accounts.clearance import Clearance
from accounts.models import Department, Role, User


class Theme(models.Model):
    """A group of the one map: base geography, planning results, land status, city management."""

    code = models.SlugField(max_length=32, unique=True)
    title_zh = models.CharField(max_length=80)
    title_en = models.CharField(max_length=80)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order", "code")

    def __str__(self) -> str:
        return self.title_zh


class CodeList(models.Model):
    """A code list in one edition: the values a field may take."""

    code = models.SlugField(max_length=48)
    edition = models.CharField(max_length=32)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("code", "edition"), name="code_list_edition")]

    def __str__(self) -> str:
        return f"{self.title_zh} ({self.edition})"


class CodeValue(models.Model):
    """One code of a list, with its names and, where the standard gives one, its colour."""

    code_list = models.ForeignKey(CodeList, models.CASCADE, related_name="values")
    code = models.CharField(max_length=32)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    colour = models.CharField(max_length=9, blank=True)

    class Meta:
        ordering = ("code",)
        constraints = [models.UniqueConstraint(fields=("code_list", "code"), name="code_value_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title_zh}"


class Layer(models.Model):
    """A layer of the one map: its metadata (ISO 19115 core) and where its record time stands."""

    class Family(models.TextChoices):
        """What the geometries are; each covers its multi-part form."""

        POINT = "point", "点 point"
        LINE = "line", "线 line"
        POLYGON = "polygon", "面 polygon"

    name = models.CharField(max_length=48, unique=True)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    abstract_zh = models.TextField(blank=True)
    abstract_en = models.TextField(blank=True)
    theme = models.ForeignKey(Theme, models.PROTECT, related_name="layers")
    department = models.ForeignKey(Department, models.PROTECT, related_name="layers")
    family = models.CharField(max_length=8, choices=Family.choices)
    secrecy = models.CharField(
        max_length=12, choices=[(level.value, level.value) for level in Clearance], default="internal"
    )
    valid_time = models.BooleanField(default=False)
    key_field = models.CharField(max_length=200, blank=True)
    label_field = models.CharField(max_length=200, blank=True)
    style = models.JSONField(default=dict, blank=True)
    order = models.IntegerField(default=100)
    visible = models.BooleanField(default=False, help_text="shown when the map opens")
    demo = models.BooleanField(default=False)
    control = models.BooleanField(
        default=False, help_text="positions are trusted: used to suspect shifted data"
    )
    keywords = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    update_cycle = models.CharField(max_length=60, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # Kept by layers.actions under the lock of this row.
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)
    feature_count = models.BigIntegerField(default=0)
    extent = ArrayField(
        models.FloatField(), size=4, null=True, blank=True
    )  # storage CRS: xmin, ymin, xmax, ymax
    first_levels = models.JSONField(default=dict, blank=True)  # tile matrix set -> first published level

    class Meta:
        ordering = ("order", "name")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(name__regex=r"^[a-z][a-z0-9_]{0,47}$"), name="layer_name_form"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.title_zh}"


class Field(models.Model):
    """A field of a layer: declared once, used by import, API and forms."""

    class Type(models.TextChoices):
        """Value types, as the doors name them."""

        TEXT = "text"
        INTEGER = "integer"
        REAL = "real"
        DATE = "date"
        DATETIME = "datetime"
        BOOLEAN = "boolean"

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="fields")
    name = models.CharField(max_length=200)  # the source's own name, shown in every door
    column = models.CharField(max_length=8)  # the internal one: f_001
    alias_zh = models.CharField(max_length=200, blank=True)
    alias_en = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=8, choices=Type.choices)
    unit = models.CharField(max_length=32, blank=True)
    required = models.BooleanField(default=False)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    max_length = models.PositiveIntegerField(null=True, blank=True)
    code_list = models.ForeignKey(CodeList, models.PROTECT, null=True, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order",)
        constraints = [
            models.UniqueConstraint(fields=("layer", "name"), name="field_name_once"),
            models.UniqueConstraint(fields=("layer", "column"), name="field_column_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A right given to someone: on one layer, on a theme, or (both empty) on every layer."""

    class To(models.TextChoices):
        """Kinds of grantee."""

        DEPARTMENT = "department"
        ROLE = "role"
        USER = "user"
        PUBLIC = "public"

    layer = models.ForeignKey(Layer, models.CASCADE, null=True, blank=True, related_name="grants")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, blank=True, related_name="grants")
    to = models.CharField(max_length=12, choices=To.choices)
    department = models.ForeignKey(Department, models.CASCADE, null=True, blank=True)  # with all below it
    role = models.ForeignKey(Role, models.CASCADE, null=True, blank=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    actions = ArrayField(models.CharField(max_length=8))
    fields = ArrayField(models.CharField(max_length=200), null=True, blank=True)  # null: all of them
    area = models.MultiPolygonField(srid=4490, null=True, blank=True)  # null: everywhere; longitude, latitude
    area_label = models.CharField(max_length=200, blank=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(layer__isnull=True) | models.Q(theme__isnull=True),
                name="grant_on_one_thing",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(to="public", department__isnull=True, role__isnull=True, user__isnull=True)
                    | models.Q(
                        to="department", department__isnull=False, role__isnull=True, user__isnull=True
                    )
                    | models.Q(to="role", department__isnull=True, role__isnull=False, user__isnull=True)
                    | models.Q(to="user", department__isnull=True, role__isnull=True, user__isnull=False)
                ),
                name="grant_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk} to {self.to}"


class CatalogueState(models.Model):
    """One row: a number that triggers raise whenever rights or the catalogue change."""

    version = models.BigIntegerField(default=1)


class Change(models.Model):
    """One accepted change of one layer; its revision orders the layer's feed."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="changes")
    revision = models.BigIntegerField()
    at = models.DateTimeField()  # taken under the layer's lock, never runs backwards
    kind = models.CharField(max_length=12)  # edit, import, restore, undo
    author = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    inserted = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("layer", "revision")
        constraints = [models.UniqueConstraint(fields=("layer", "revision"), name="change_revision_once")]
        indexes = [models.Index(fields=("layer", "at"), name="change_as_of")]  # as-of=<time> to a revision

    def __str__(self) -> str:
        return f"{self.layer_id} revision {self.revision}"


class ChangeFeature(models.Model):
    """A feature that a change touched, with the box of where it was and is (storage CRS)."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="features")
    fid = models.BigIntegerField()
    op = models.CharField(max_length=6)  # insert, update, delete
    bbox = ArrayField(models.FloatField(), size=4)

    class Meta:
        indexes = [models.Index(fields=("change", "fid"), name="change_feature_fid")]


class ChangeCell(models.Model):
    """A cell of the city's grid (level of CELL_LEVEL) that a bulk load touched."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="cells")
    column = models.IntegerField()
    row = models.IntegerField()


class Lineage(models.Model):
    """Where a layer's content came from: one row per delivery."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="lineage")
    at = models.DateTimeField(auto_now_add=True)
    revision = models.BigIntegerField()
    mode = models.CharField(max_length=8)
    source_name = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    driver = models.CharField(max_length=32)
    source_crs = models.CharField(max_length=32)
    encoding = models.CharField(max_length=32, blank=True)
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at",)
