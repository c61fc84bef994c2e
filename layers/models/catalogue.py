"""The catalogue: themes, layers and their fields.

The features themselves live in one typed table per layer (schemas `data` and `history`, see layers/tables.py).
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.clearance import Clearance
from accounts.models import Department
from layers.models.codes import CodeList


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


class Layer(models.Model):
    """A layer of the one map: its metadata (ISO 19115 core) and where its record time stands."""

    class Family(models.TextChoices):
        """What the geometries are; each covers its multi-part form. A table has none, a raster has cells."""

        POINT = "point", "点 point"
        LINE = "line", "线 line"
        POLYGON = "polygon", "面 polygon"
        TABLE = "table", "表 table"
        RASTER = "raster", "栅格 raster"

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
    update_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="promised rhythm: days between two deliveries at most"
    )
    contact = models.CharField(max_length=200, blank=True)
    joins = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="joined_tables",
        help_text="of a table: the layer whose key_field its join_field names",
    )
    join_field = models.CharField(max_length=200, blank=True)
    checks = models.JSONField(default=dict, blank=True)  # what must hold (layers.rules.checks)
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
    indexed = models.BooleanField(default=False)  # an index (column, fid) is there: it can be sorted by

    class Meta:
        ordering = ("order",)
        constraints = [
            models.UniqueConstraint(fields=("layer", "name"), name="field_name_once"),
            models.UniqueConstraint(fields=("layer", "column"), name="field_column_once"),
        ]

    def __str__(self) -> str:
        return self.name


class CatalogueState(models.Model):
    """One row: a number that triggers raise whenever rights or the catalogue change."""

    version = models.BigIntegerField(default=1)
