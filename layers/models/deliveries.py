"""Deliveries: many layers, tables and rasters taken or refused as one; profiles, packages and scheduled pulls."""

import secrets

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models import Department


def token() -> str:
    """A name for a folder that nobody can guess."""
    return secrets.token_hex(12)


class DeliveryProfile(models.Model):
    """What a delivery of a kind holds and what must be true of it: a JSON document of a published schema."""

    code = models.SlugField(max_length=48, unique=True)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="delivery_profiles")
    document = models.JSONField()
    changed_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.title_zh}"


class Delivery(models.Model):
    """A delivery on its way: received, asked about, checked, then accepted as a whole or refused as a whole."""

    class State(models.TextChoices):
        """Where a delivery stands."""

        RECEIVED = "received", "已接收"
        CHECKING = "checking", "检查中"
        WAITING = "waiting", "待答复"  # a person has to answer questions first
        CHECKED = "checked", "待验收"  # the verdict is there
        ACCEPTING = "accepting", "入库中"
        ACCEPTED = "accepted", "已入库"
        REFUSED = "refused", "已退回"
        FAILED = "failed", "失败"
        WITHDRAWN = "withdrawn", "已撤回"

    token = models.CharField(max_length=24, unique=True, default=token)  # names its staging tables
    folder = models.CharField(max_length=64)  # below the folder of received files
    main = models.CharField(max_length=300, blank=True)  # the file or folder delivered, below `folder`
    name = models.CharField(max_length=300)
    department = models.ForeignKey(Department, models.PROTECT, related_name="deliveries")
    profile = models.ForeignKey(DeliveryProfile, models.SET_NULL, null=True, blank=True)
    document = models.JSONField(default=dict)  # the profile as it was then, or one made for this delivery
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    sent_by = models.CharField(max_length=200)
    sent_at = models.DateTimeField(default=timezone.now)
    sha256 = models.CharField(max_length=64)
    answers = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    questions = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    verdict = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    job = models.IntegerField(null=True)  # process.Job that works on it, or worked last
    reason = models.TextField(blank=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    accept_at_once = models.BooleanField(
        default=False
    )  # without a person, if nothing is to be asked or blocked
    package = models.CharField(max_length=300, blank=True)  # file name below the packages' folder

    class Meta:
        ordering = ("-sent_at", "-id")
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class DeliveryPart(models.Model):
    """One layer, table or raster of a delivery."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="parts")
    order = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)  # layer, table, raster
    source = models.CharField(max_length=300)  # its name in the delivery
    path = models.CharField(max_length=1000)  # below the delivery's folder
    source_layer = models.CharField(max_length=300, blank=True)
    layer_name = models.CharField(max_length=48)
    options = models.JSONField(default=dict)  # layers.exchange.options.ImportOptions
    staged = models.CharField(max_length=60, blank=True)  # its table in schema staging
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # what publishing needs again
    report = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    held = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    samples = models.JSONField(default=list, encoder=DjangoJSONEncoder)  # of text in doubtful encodings

    class Meta:
        ordering = ("delivery", "order")
        constraints = [models.UniqueConstraint(fields=("delivery", "order"), name="delivery_part_once")]

    def __str__(self) -> str:
        return f"{self.source} → {self.layer_name}"


class DeliveryFinding(models.Model):
    """One fault of a delivery, with its place: what the surveyor gets back."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="findings")
    part = models.ForeignKey(DeliveryPart, models.CASCADE, null=True, blank=True, related_name="findings")
    code = models.CharField(max_length=40)
    level = models.CharField(max_length=8)  # block, warn, note
    message = models.TextField()
    message_zh = models.TextField()
    row = models.BigIntegerField(null=True)  # of the source, from 1
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    place = models.JSONField(null=True)  # GeoJSON geometry, longitude and latitude on CGCS2000

    class Meta:
        ordering = ("id",)


class TrustedKey(models.Model):
    """An Ed25519 public key whose packages this instance takes; the instance's own is among them."""

    name = models.CharField(max_length=120)
    public_key = models.CharField(max_length=64, unique=True)  # 32 bytes, base64
    own = models.BooleanField(default=False)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Pull(models.Model):
    """A source that is fetched by itself on a schedule and goes the way of every delivery."""

    class Kind(models.TextChoices):
        """Where the data lies."""

        FOLDER = "folder", "文件夹 folder"
        HTTP = "http", "网络地址 HTTP"
        DATABASE = "database", "数据库 database"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    address = models.CharField(max_length=1000)
    department = models.ForeignKey(Department, models.PROTECT, related_name="pulls")
    document = models.JSONField(default=dict)  # the profile of its deliveries
    answers = models.JSONField(default=dict)
    every_minutes = models.PositiveIntegerField(default=1440)
    most_changed = models.FloatField(
        default=0.2, help_text="share of features; more than that waits for a person"
    )
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(null=True, blank=True)
    last_sha256 = models.CharField(max_length=64, blank=True)
    last_validators = models.JSONField(default=dict, blank=True)  # of HTTP: etag, last_modified
    last_state = models.CharField(max_length=20, blank=True)
    last_reason = models.TextField(blank=True)
    last_delivery = models.ForeignKey(Delivery, models.SET_NULL, null=True, blank=True)
    created_by = models.CharField(max_length=200)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
