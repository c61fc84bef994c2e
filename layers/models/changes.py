"""The feed of changes, and where content came from."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from layers.models.catalogue import Layer


class Change(models.Model):
    """One accepted change of one layer; its revision orders the layer's feed."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="changes")
    revision = models.BigIntegerField()
    at = models.DateTimeField()  # taken under the layer's lock, never runs backwards
    kind = models.CharField(max_length=12)  # edit, import, restore, undo, changeset
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
    """A feature that a change touched, with the box of where it was and is (storage CRS; null without geometry)."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="features")
    fid = models.BigIntegerField()
    op = models.CharField(max_length=6)  # insert, update, delete
    bbox = ArrayField(models.FloatField(), size=4, null=True)

    class Meta:
        indexes = [models.Index(fields=("change", "fid"), name="change_feature_fid")]


class ChangeCell(models.Model):
    """A cell of the city's grid (level of CELL_LEVEL) that a load touched, one too large to name its features."""

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


class Correction(models.Model):
    """A feature that stays as it was corrected on the one map although a delivery since then did not say so.

    Corrections made after the layer's last delivery are found in the feed; these are the older ones.
    """

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="corrections")
    fid = models.BigIntegerField()
    base = models.BigIntegerField()  # revision at which the feature was last as delivered

    class Meta:
        constraints = [models.UniqueConstraint(fields=("layer", "fid"), name="correction_once")]

    def __str__(self) -> str:
        return f"{self.layer_id} feature {self.fid}"
