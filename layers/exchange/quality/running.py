"""The self-check as a job: each layer by night or when asked; findings are kept until they are found no more."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from layers import catalogue, queries
from layers.catalogue import LayerInfo
from layers.exchange.quality.faults import LayerFault, faults_of
from layers.models import Field, Layer, QualityFinding, QualityRun
from layers.moments import CITY_TIME
from process import audit, jobs
from process.context import JobContext
from process.models import ENDED, Job

KIND = "check_quality"
LOCK_SPACE = 0x6F6D7175  # the first half of every layer's advisory lock
QUIET_HOURS = range(1, 6)  # of the city's day
NIGHTLY, OVERDUE = timedelta(hours=20), timedelta(hours=36)  # a site that sleeps at night is checked by day
MOST_AT_ONCE = 2  # checks never fill the queue before what people wait for
MOST_KEPT = 2_000  # findings of one code; all are counted
ASKED_EVERY_S = 0.5
BY_ITSELF = "platform"


def start_due() -> int:
    """Make jobs of the layers whose check is due; return how many. A duty of workers, one at a time."""
    now = timezone.now()
    room = MOST_AT_ONCE - Job.objects.filter(kind=KIND).exclude(state__in=ENDED).count()
    started = 0
    for layer in _due(now) if room > 0 else ():
        if started == room:
            break
        enqueue(layer, BY_ITSELF)
        started += 1
    return started


def enqueue(layer: Layer, by: str) -> Job:
    """Let the layer be checked; a check that the same caller has already asked for is that one."""
    same = Job.objects.filter(kind=KIND, arguments__layer=layer.pk, created_by=by[:200])
    waiting = same.exclude(state__in=ENDED).first()
    return waiting or jobs.enqueue(KIND, {"layer": layer.pk}, created_by=by[:200])


def _due(now: datetime) -> Iterable[Layer]:
    patience = NIGHTLY if now.astimezone(CITY_TIME).hour in QUIET_HOURS else OVERDUE
    newest = QualityRun.objects.filter(layer=OuterRef("pk")).order_by("-at")
    known = Layer.objects.filter(deleted_at=None).annotate(
        checked_at=Subquery(newest.values("at")[:1]), checked_revision=Subquery(newest.values("revision")[:1])
    )
    # A check that fails must not be tried again and again.
    tried = dict(
        Job.objects.filter(kind=KIND)
        .values_list("arguments__layer")
        .annotate(at=Max("created_at"))
        .order_by()
    )
    for layer in known.order_by("checked_at", "pk"):
        facts = vars(layer)
        last = max(filter(None, (layer.created_at, facts["checked_at"], tried.get(layer.pk))))
        if now - last > patience and _may_differ(layer, facts["checked_revision"]):
            yield layer


def _may_differ(layer: Layer, checked_revision: int | None) -> bool:
    """Whether a check may find another thing than the last: the layer changed, or days and others count."""
    if checked_revision != layer.revision or layer.update_days or layer.valid_time or layer.join_field:
        return True
    checks = layer.checks
    beside = checks.get("matches") or checks.get("partition", {}).get("within") or checks.get("sums")
    return bool(beside) or Field.objects.filter(layer=layer, code_list__isnull=False).exists()


@dataclass
class _Found:
    """What one check found.

    Attributes
    ----------
    kept
        By identity: up to MOST_KEPT of each code.
    seen
        The code of every identity, kept or not.
    """

    kept: dict[str, LayerFault] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, fault: LayerFault) -> None:
        """Note a fault once."""
        if fault.identity in self.seen:
            return
        self.seen[fault.identity] = fault.code
        self.counts[fault.code] += 1
        if self.counts[fault.code] <= MOST_KEPT:
            self.kept[fault.identity] = fault


def run_check_quality(context: JobContext) -> Mapping[str, Any] | None:
    """The handler: look first, then write what was found, and the job's end, in one transaction."""
    row = Layer.objects.filter(pk=context.arguments["layer"], deleted_at=None).first()
    layer = _known(row.name) if row is not None else None
    if row is None or layer is None:
        return {"status": "done", "state": "gone"}
    context.progress("check", 0.0)
    found = _Found()
    for fault in faults_of(
        layer,
        row.changed_at,
        tell=lambda share: context.progress("check", 0.05 + 0.85 * share),
        cancelled=_now_and_then(context),
    ):
        found.add(fault)
    context.check_cancel()
    context.progress("write", 0.95)
    context.fail_point(1)
    with transaction.atomic():
        write(row, found, revision=row.revision)
        context.fail_point(2)
        context.finish({"status": "done", "layer": row.name, "revision": row.revision})
    return None


def _known(name: str) -> LayerInfo | None:
    known = catalogue.current()
    return known.layers.get(name) or known.rasters.get(name)


def _now_and_then(context: JobContext) -> Any:
    """`check_cancel`, at most twice a second."""
    asked = time.monotonic()

    def ask() -> None:
        nonlocal asked
        if time.monotonic() - asked > ASKED_EVERY_S:
            asked = time.monotonic()
            context.check_cancel()

    return ask


def write(layer: Layer, found: _Found, *, revision: int) -> QualityRun:
    """Keep what was found: the same again is seen, what is gone is closed, what is new is opened.

    What a person set aside stays so, too when it had been gone for a while.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, layer.pk])
    standing = {
        one.identity: one for one in QualityFinding.objects.filter(layer=layer, closed_at=None).iterator()
    }
    gone = [one.pk for identity, one in standing.items() if identity not in found.seen]
    QualityFinding.objects.filter(pk__in=gone).update(closed_at=now)
    again = [one for identity, one in standing.items() if identity in found.seen]
    for one in again:
        _renew(one, found.kept.get(one.identity), now)
    QualityFinding.objects.bulk_update(again, [*_TOLD, "seen_at"], batch_size=500)
    new = [_opened(layer, fault, now) for identity, fault in found.kept.items() if identity not in standing]
    _set_aside_as_before(layer, new)
    QualityFinding.objects.bulk_create(new, batch_size=500)
    counts = found.counts - Counter(one.code for one in (*again, *new) if one.set_aside_by)
    checked = queries.layer_states([layer.pk])[layer.pk]["feature_count"]
    return QualityRun.objects.create(
        layer=layer, revision=revision, at=now, counts=dict(sorted(counts.items())), checked=checked
    )


_TOLD = ("level", "message", "message_zh", "fids", "facts", "place")


def _told(fault: LayerFault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in _TOLD} | {"fids": list(fault.fids)}


def _renew(one: QualityFinding, fault: LayerFault | None, now: datetime) -> None:
    one.seen_at = now
    for name, value in (_told(fault) if fault is not None else {}).items():
        setattr(one, name, value)


def _opened(layer: Layer, fault: LayerFault, now: datetime) -> QualityFinding:
    return QualityFinding(
        layer=layer, code=fault.code, identity=fault.identity, found_at=now, seen_at=now, **_told(fault)
    )


def _set_aside_as_before(layer: Layer, new: Iterable[QualityFinding]) -> None:
    before = {
        one.identity: one
        for one in QualityFinding.objects.filter(layer=layer, closed_at__isnull=False)
        .exclude(set_aside_by="")
        .order_by("closed_at")
    }
    for one in new:
        if earlier := before.get(one.identity):
            one.set_aside_by, one.reason = earlier.set_aside_by, earlier.reason


@transaction.atomic
def set_aside(finding: QualityFinding, *, by: str, reason: str) -> None:
    """Let an open finding stand, for a reason; it leaves the open list."""
    audit.record(by, "quality.set_aside", "layer", finding.layer.name, code=finding.code, reason=reason)
    QualityFinding.objects.filter(pk=finding.pk).update(set_aside_by=by[:200], reason=reason)
    finding.refresh_from_db()
