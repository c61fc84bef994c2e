"""Changesets: changes of any layers that are not on the one map yet, what is in them, and every step they took."""

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import Department
from layers.models.catalogue import Layer


class Changeset(models.Model):
    """A set of changes that belong together: edited, reviewed and published as one."""

    class State(models.TextChoices):
        """Where a changeset stands (layers.changesets.workflow)."""

        PRIVATE = "private", "个人"
        SHARED = "shared", "部门共享"
        SUBMITTED = "submitted", "待审核"
        APPROVED = "approved", "已批准"
        PUBLISHED = "published", "已发布"
        RETURNED = "returned", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"
        ABANDONED = "abandoned", "已放弃"

    title = models.CharField(max_length=200)
    about = models.TextField(blank=True)  # why: the occasion, the document it follows
    state = models.CharField(max_length=10, choices=State.choices, default=State.PRIVATE)
    shared = models.BooleanField(default=False)  # whether the owner's department sees it, wherever it stands
    owner = models.CharField(max_length=200)
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="changesets")
    editors = ArrayField(models.CharField(max_length=200), default=list)  # everyone who put something in
    counter = models.BigIntegerField(default=0)  # grows with every change of the content
    approved_counter = models.BigIntegerField(null=True)  # the content that was approved
    approved_by = models.CharField(max_length=200, blank=True)
    reverts = models.ForeignKey("self", models.SET_NULL, null=True, related_name="reverted_by")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True)  # first; reviewers know it from then on
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-changed_at", "-id")
        indexes = [models.Index(fields=("owner", "-changed_at"), name="changeset_of_owner")]

    def __str__(self) -> str:
        return f"{self.pk} {self.title} ({self.state})"


class ChangesetLayer(models.Model):
    """A layer that a changeset touches: how many features, and the revision that publication made of it."""

    changeset = models.ForeignKey(Changeset, models.CASCADE, related_name="layers")
    layer = models.ForeignKey(Layer, models.CASCADE, related_name="changesets")
    inserted = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    deleted = models.IntegerField(default=0)
    revision = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("changeset", "layer"), name="changeset_layer_once")]


class ChangesetFeature(models.Model):
    """A changed feature, or one changed period of it, as it would be; what it was is in the layer's own tables."""

    changeset = models.ForeignKey(Changeset, models.CASCADE, related_name="features", db_index=False)
    layer = models.ForeignKey(Layer, models.CASCADE, related_name="changed_features", db_index=False)
    fid = models.BigIntegerField()
    period = models.DateField(null=True)  # of layers with valid time: the first day of the period changed
    op = models.CharField(max_length=6)  # insert, update, delete
    version = models.IntegerField()  # what an editor of the changeset names; see layers.changesets.drafting
    base_version = models.IntegerField(null=True)  # of the one map, from which it started; null: new
    base_revision = models.BigIntegerField(null=True)  # at which that version came to be
    geom = models.GeometryField(srid=settings.ONEMAP_SRID, null=True, spatial_index=False)
    content = models.JSONField(encoder=DjangoJSONEncoder)  # values by internal column name, all of them
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    split_from = models.BigIntegerField(null=True)  # fid of the feature that this one is a part of
    merged_into = models.BigIntegerField(null=True)  # fid of the feature that took this one in
    author = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("changeset", "layer", "fid", "period"),
                name="changeset_feature_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(op__in=("insert", "update", "delete")), name="changeset_feature_op"
            ),
        ]
        indexes = [
            # The map with a changeset: its features in a box (layers.queries.relation).
            GistIndex(fields=("changeset", "layer", "geom"), name="changeset_feature_place"),
        ]


class ChangesetStep(models.Model):
    """One step a changeset took: who, when and why."""

    changeset = models.ForeignKey(Changeset, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=10)
    state = models.CharField(max_length=10)  # after it
    counter = models.BigIntegerField()
    by = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("at", "id")
