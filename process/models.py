"""Tables of the process app."""

from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.utils import timezone

MAX_ATTEMPTS = 3


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", "排队"
    RUNNING = "running", "运行"
    DONE = "done", "完成"
    FAILED = "failed", "失败"
    HELD = "held", "待确认"
    CANCELLED = "cancelled", "已取消"


ENDED = frozenset({State.DONE, State.FAILED, State.HELD, State.CANCELLED})


class Job(models.Model):
    """A piece of work that outlives the request or command that asked for it."""

    id = models.AutoField(primary_key=True)  # 32 bits: half of the key of an advisory lock
    kind = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    step = models.CharField(max_length=200, blank=True, default="")
    progress = models.FloatField(default=0.0)  # 0 to 1
    attempts = models.SmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    reason = models.TextField(blank=True, default="")
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            # Read by claim_job.sql, every half second and worker.
            models.Index(fields=["not_before", "id"], condition=models.Q(state="queued"), name="job_waiting"),
            # Read by free_jobs.sql, the sweep.
            models.Index(fields=["id"], condition=models.Q(state="running"), name="job_running"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to this job."""
        return self.state in ENDED


class Worker(models.Model):
    """A worker process that says every few seconds that it is there."""

    name = models.CharField(max_length=100, unique=True)
    pid = models.IntegerField()
    host = models.CharField(max_length=100)
    heartbeat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class TransactionIdField(models.Field):  # type: ignore[type-arg]
    """A column of type xid8: the 64-bit number of a transaction, never reused within one cluster."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "xid8"

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> int | None:
        """A number from the driver's text."""
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        """Text: xid8 has no cast from the integer types."""
        return str(value) if isinstance(value, int) else value


class CurrentTransaction(models.Func):
    """The number of the writing transaction."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = TransactionIdField()


class AuditRecord(models.Model):
    """Who did what to what, and when. Written once: the database refuses to change or remove a record."""

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64, blank=True, default="")
    object_name = models.CharField(max_length=200, blank=True, default="")
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True)
    xid = TransactionIdField(db_default=CurrentTransaction())

    class Meta:
        indexes: ClassVar = [
            # Read by read_feed.sql.
            models.Index(fields=["xid", "id"], name="audit_feed"),
            # Read by people who ask what happened to one thing.
            models.Index(fields=["object_type", "object_name", "at"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.actor} {self.action} {self.object_name}"


class AuditSeal(models.Model):
    """One link of the chain over the audit: a digest of the record and of the link before."""

    position = models.BigIntegerField(primary_key=True)  # 1, 2, 3 … without gaps
    record = models.OneToOneField(AuditRecord, models.PROTECT)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"{self.position} {self.digest[:12]}"


class Upload(models.Model):
    """A file on its way in, piece by piece; nothing sees it before it is whole and its digest is right."""

    token = models.CharField(max_length=32, unique=True)  # its address and its file name
    name = models.CharField(max_length=300)  # with its folders, as the sender has it
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    received = models.BigIntegerField(default=0)
    complete = models.BooleanField(default=False)
    sent_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True)  # something was made of it: it may be swept

    def __str__(self) -> str:
        return f"{self.name} {self.received}/{self.size}"
