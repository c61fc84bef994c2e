"""What imports and deliveries leave behind when they end, or are killed: tables, folders, packages. A duty of workers.

Kept is whatever a job that goes on, or a delivery that is still to be decided, may need again.
"""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from layers.exchange import imports
from layers.exchange.deliveries import flow
from layers.exchange.pipeline import drop_staged
from layers.exchange.rasters import importing as raster_import
from layers.exchange.receiving import discard
from layers.models import Delivery
from layers.packages.writing import packages_folder
from process.models import ENDED, Job

YOUNG_S = 3600.0  # a folder younger than this may belong to what is only beginning
SCRATCH_S = 24 * 3600.0  # a folder of work that is older than this has lost its process
SCRATCH = ("delivery-*", "pull-*", "findings-*")
FAILED_KEPT = timedelta(days=30)
TABLES = r"^(job_[0-9]+|delivery_[0-9a-f]{24}_[0-9]+(_plan)?)$"
PACKAGE = re.compile(r"([0-9a-f]{24})\.zip|\.[0-9a-f]{16}\.part")
SWEEPER = "platform"
State = Delivery.State


def sweep_staging() -> int:
    """Remove staging tables and received files that nobody needs any more; return how many tables."""
    settle_lost()
    end_forgotten()
    gone = _sweep_tables()
    _sweep_folders()
    _sweep_packages()
    return gone


def settle_lost() -> int:
    """Write on deliveries whose job ended without them that they failed, and why; return how many."""
    moving = Delivery.objects.filter(state__in=(State.CHECKING, State.ACCEPTING))
    settled = 0
    with transaction.atomic():
        for delivery in moving.select_for_update(skip_locked=True):
            if flow.lost(delivery):
                delivery.reason = f"任务未能完成：{flow.reason_of(delivery)}"
                delivery.state = State.FAILED
                delivery.save(update_fields=["state", "reason"])
                settled += 1
    return settled


def end_forgotten() -> int:
    """End deliveries that failed a month ago and that nobody took up again; return how many."""
    long_ago = timezone.now() - FAILED_KEPT
    failed = Delivery.objects.filter(state=State.FAILED, sent_at__lt=long_ago)
    forgotten = [
        delivery.pk
        for delivery in failed
        if not Job.objects.filter(pk=delivery.job or 0, finished_at__gte=long_ago).exists()
    ]
    for number in forgotten:
        try:
            flow.withdraw(number, by=SWEEPER)
        except flow.WrongState:  # someone took it up just now
            continue
    return len(forgotten)


def _sweep_tables() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'staging' AND tablename ~ %s", [TABLES]
        )
        found = [row[0] for row in cursor.fetchall()]
    # Asked after the tables: what was begun meanwhile has none among them.
    jobs = Job.objects.filter(kind=imports.KIND).exclude(state__in=ENDED).values_list("pk", flat=True)
    owners = {f"job_{pk}" for pk in jobs}
    open_ones = Delivery.objects.filter(state__in=flow.OPEN).values_list("token", flat=True)
    owners |= {f"delivery_{token}" for token in open_ones}
    gone = [name for name in found if "_".join(name.split("_")[:2]) not in owners]
    for name in gone:
        drop_staged(name)
    return len(gone)


def _sweep_folders() -> None:
    kinds = [imports.KIND, raster_import.KIND]
    going = Job.objects.filter(kind__in=kinds).exclude(state__in=ENDED).values_list("arguments", flat=True)
    kept = {Path(one["source"]["folder"]).name for one in going}
    for name in Delivery.objects.filter(state__in=flow.OPEN).values_list("folder", flat=True):
        kept |= {name, f"{name}-unpacked"}
    for folder in _older(flow.incoming(), "*", YOUNG_S):
        if folder.name not in kept:
            discard(folder)
    for pattern in SCRATCH:
        for folder in _older(settings.ONEMAP_VAR, pattern, SCRATCH_S):
            discard(folder)


def _sweep_packages() -> None:
    """Half written ones, and those of deliveries that were not accepted in the end."""
    kept = Delivery.objects.filter(state__in=(State.ACCEPTED, State.ACCEPTING))
    tokens = set(kept.values_list("token", flat=True))
    for path in _older(packages_folder(), "*", SCRATCH_S):
        named = PACKAGE.fullmatch(path.name)
        if named and named[1] not in tokens:
            path.unlink(missing_ok=True)


def _older(folder: Path, pattern: str, seconds: float) -> Iterator[Path]:
    """What lies in a folder and was not touched for so long."""
    limit = time.time() - seconds
    for path in sorted(folder.glob(pattern)):
        try:
            if path.lstat().st_mtime < limit:
                yield path
        except FileNotFoundError:
            continue
