"""What the nightly self-check found on the layers, and metadata in versions."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from layers.models.catalogue import Layer


class QualityRun(models.Model):
    """One check of one layer at one revision."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="quality_runs")
    revision = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    counts = models.JSONField(default=dict)  # open findings by code
    checked = models.BigIntegerField(default=0)  # features looked at

    class Meta:
        ordering = ("-at",)


class QualityFinding(models.Model):
    """A fault of a layer; it stays open until a later check no longer finds it, or a person sets it aside."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="quality_findings")
    code = models.CharField(max_length=40)  # overlap, gap, code-unknown, period-ended, stale, …
    identity = models.CharField(max_length=64)  # the same fault found again has the same one
    level = models.CharField(max_length=8)
    message = models.TextField()
    message_zh = models.TextField()
    fids = models.JSONField(default=list)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    place = models.JSONField(null=True)  # GeoJSON geometry, longitude and latitude on CGCS2000
    found_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    set_aside_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("layer", "code", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("layer", "identity"), condition=models.Q(closed_at=None), name="quality_finding_once"
            )
        ]


class MetadataVersion(models.Model):
    """The metadata of a layer in versions: a draft never changes what was approved."""

    class State(models.TextChoices):
        """Where a version stands."""

        DRAFT = "draft", "草稿"
        APPROVED = "approved", "已批准"
        REPLACED = "replaced", "已被替代"

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="metadata_versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    document = models.JSONField()
    revision = models.BigIntegerField()  # the layer's when it was approved, or written
    written_by = models.CharField(max_length=200)
    written_at = models.DateTimeField(default=timezone.now)
    approved_by = models.CharField(max_length=200, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("layer", "-number")
        constraints = [models.UniqueConstraint(fields=("layer", "number"), name="metadata_version_once")]
