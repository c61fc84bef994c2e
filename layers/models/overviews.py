"""How far a layer's overviews are, and that somebody keeps them (layers.overviews)."""

from django.db import models
from django.db.models.functions import Now

from layers.models.catalogue import Layer


class Overview(models.Model):
    """The overviews of one layer: what they show, and by which rule each level was made.

    The shapes themselves are in `overview.shape`; this row changes in the same transaction as they do.
    """

    layer = models.OneToOneField(Layer, models.CASCADE, primary_key=True, related_name="overview")
    revision = models.BigIntegerField()  # of the layer: every change up to it is in
    stamp = models.BigIntegerField(default=1)  # raised at every change of the shapes
    day = models.DateField()  # features with valid time are shown as of this day
    class_column = models.CharField(
        max_length=8, blank=True
    )  # the field that merged shapes are told apart by
    levels = models.JSONField(
        default=dict
    )  # level of CityGrid -> cell, pixel (metres), counts when it was built
    built_at = models.DateTimeField(db_default=Now())
    built_count = models.BigIntegerField(default=0)  # features of the layer then

    def __str__(self) -> str:
        return f"{self.layer_id} revision {self.revision}"


class Follower(models.Model):
    """One row: when the process that keeps overviews fresh was last alive."""

    pid = models.IntegerField()
    heartbeat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.pid} {self.heartbeat_at}"
