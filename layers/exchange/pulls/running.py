"""The schedule of pulls: what is due becomes a job, the job brings the source and hands it on as a delivery."""

import logging
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from layers.exchange.deliveries.flow import lost, start_delivery
from layers.exchange.pulls.sources import Pulled, StillWritten, bring
from layers.models import Delivery, Pull
from process import jobs
from process.context import JobContext, LostJob
from process.models import ENDED, Job
from spatial.errors import Kind, OnemapError

log = logging.getLogger("onemap.pulls")

KIND = "pull"
LOCK_SPACE = 0x6F6D706C  # the first half of every source's advisory lock
SETTLING = timedelta(minutes=2)
State = Delivery.State
UNDECIDED = (State.RECEIVED, State.CHECKING, State.WAITING, State.CHECKED, State.ACCEPTING)


class SourceBusy(OnemapError):
    """The same source is being fetched already."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "pull-running"
    message: ClassVar = "this source is being fetched already"
    message_zh: ClassVar = "该来源正在获取中"


def start_due() -> int:
    """Make a job of every pull that is due; return how many. A duty of workers."""
    now = timezone.now()
    with transaction.atomic():
        due = list(Pull.objects.select_for_update(skip_locked=True).filter(enabled=True, next_at__lte=now))
        for pull in due:
            Pull.objects.filter(pk=pull.pk).update(next_at=_next(pull, now))
            if not under_way(pull):
                enqueue(pull, f"pull:{pull.name}")
    return len(due)


def _next(pull: Pull, now: datetime) -> datetime:
    return now + timedelta(minutes=pull.every_minutes)


def under_way(pull: Pull) -> Job | None:
    """The job that fetches this pull now, or will."""
    return Job.objects.filter(kind=KIND, arguments__pull=pull.pk).exclude(state__in=ENDED).first()


def enqueue(pull: Pull, by: str) -> Job:
    """Let the pull be fetched as soon as a worker is free."""
    return jobs.enqueue(KIND, {"pull": pull.pk}, created_by=by[:200])


def run_pull(context: JobContext) -> Mapping[str, Any] | None:
    """The handler of pulls: bring the source; nothing new ends it, what is new becomes a delivery."""
    pull = (
        Pull.objects.select_related("department", "last_delivery")
        .filter(pk=context.arguments["pull"])
        .first()
    )
    if pull is None:
        return {"status": "done", "state": "gone"}
    try:
        with _alone(pull):
            return _run(context, pull)
    except LostJob:
        raise
    except StillWritten as error:
        soon = min(timezone.now() + SETTLING, pull.next_at) if pull.enabled else pull.next_at
        _tell(pull, "settling", error.text("zh"), next_at=soon)
        return {"status": "done", "pull": pull.pk, "state": "settling"}
    except OnemapError as error:
        _tell(pull, "failed", f"{error.text('zh')} {error.text('en')}")
        raise


@contextmanager
def _alone(pull: Pull) -> Iterator[None]:
    """One fetch of one source at a time, whatever pull asks for it."""
    source = zlib.crc32(f"{pull.kind}:{pull.address}".encode()) - (1 << 31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, source])
        if not cursor.fetchone()[0]:
            raise SourceBusy()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, source])


def _run(context: JobContext, pull: Pull) -> Mapping[str, Any] | None:
    last = pull.last_delivery
    stuck = last is not None and (last.state == State.FAILED or lost(last))
    if last is not None and not stuck and last.state in UNDECIDED:
        _tell(pull, "waiting", f"交付 {last.pk} 尚未处理。Delivery {last.pk} is not decided yet.")
        return {"status": "done", "pull": pull.pk, "state": "waiting", "delivery": last.pk}
    known = "" if stuck else pull.last_sha256
    context.progress("fetch", 0.05)
    settings.ONEMAP_VAR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.ONEMAP_VAR, prefix="pull-") as scratch:
        got = bring(pull, Path(scratch), known=known, validators=pull.last_validators)
        context.fail_point(1)
        context.check_cancel()
        if got.path is None:
            _tell(pull, "unchanged", "", last_validators=dict(got.validators))
            return {"status": "done", "pull": pull.pk, "state": "unchanged"}
        _deliver(context, pull, got, got.path)
    return None


def _deliver(context: JobContext, pull: Pull, got: Pulled, path: Path) -> None:
    """Hand it on, note it and end the job, in one transaction: a killed job leaves no second delivery."""
    context.progress("deliver", 0.6)
    with transaction.atomic():
        delivery = start_delivery(
            path,
            pull.document,
            name=f"{pull.name} {timezone.localtime():%Y-%m-%d %H:%M}",
            department=pull.department.code,
            actor=f"pull:{pull.name}",
            answers=pull.answers,
            auto_accept=True,
            most_changed=pull.most_changed,
        )
        context.fail_point(2)
        facts = {
            "last_sha256": got.sha256,
            "last_validators": dict(got.validators),
            "last_delivery": delivery,
        }
        _tell(pull, "delivered", "", **facts)
        context.finish({"status": "done", "pull": pull.pk, "state": "delivered", "delivery": delivery.pk})


def _tell(pull: Pull, state: str, reason: str, **more: Any) -> None:
    """Write on the pull how its last fetch went."""
    Pull.objects.filter(pk=pull.pk).update(
        last_at=timezone.now(), last_state=state, last_reason=reason[:2000], **more
    )
