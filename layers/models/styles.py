"""Styles of layers in versions."""

from django.db import models
from django.utils import timezone

from layers.models.catalogue import Layer


class LayerStyle(models.Model):
    """A version of one named style of a layer; the published default one is what the layer itself holds."""

    class State(models.TextChoices):
        """Where a version stands."""

        DRAFT = "draft", "草稿"
        PUBLISHED = "published", "已发布"
        REPLACED = "replaced", "已被替代"

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="style_versions")
    name = models.CharField(max_length=48)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    document = models.JSONField()
    reason = models.CharField(max_length=400, blank=True)
    written_by = models.CharField(max_length=200)
    written_at = models.DateTimeField(default=timezone.now)
    published_by = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("layer", "name", "-number")
        constraints = [
            models.UniqueConstraint(fields=("layer", "name", "number"), name="style_version_once"),
            models.UniqueConstraint(
                fields=("layer", "name"), condition=models.Q(state="published"), name="style_published_once"
            ),
            models.UniqueConstraint(
                fields=("layer", "name"), condition=models.Q(state="draft"), name="style_draft_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.layer.name} {self.name} {self.number}"
