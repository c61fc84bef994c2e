"""The audit: who did what to what. Records are written with the deed, sealed into a hash chain afterwards.

The chain shows that a record was changed, removed or slipped in between, as long as the digest of a later
link is known from elsewhere (`verify_audit` prints the last one; note it where the database's owner cannot
write).
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from accounts.principals import Principal, caller_address
from process.feeds import START, Cursor, read
from process.models import AuditRecord, AuditSeal

SEAL_LOCK = 0x6F6D7365
NO_LINK = "0" * 64
BATCH = 1000
PARTS = ("at", "actor", "action", "object_type", "object_name", "facts", "address")


def record(
    actor: Principal | str, action: str, object_type: str = "", object_name: str = "", **facts: Any
) -> AuditRecord:
    """Write one record, in the transaction of the deed.

    Parameters
    ----------
    actor
        Who did it: a principal, or a name such as 'command:grant'.
    action
        What was done, for instance 'grant.create'.
    object_type, object_name
        To what.
    facts
        What else is to be known (JSON): before and after, counts, reasons. Never a secret.
    """
    return AuditRecord.objects.create(
        actor=(actor if isinstance(actor, str) else actor.name)[:200],
        action=action,
        object_type=object_type,
        object_name=object_name[:200],
        facts=facts,
        address=caller_address.get(),
    )


def canonical(row: AuditRecord) -> bytes:
    """The one text of a record, as it is hashed."""
    facts = {name: getattr(row, name) for name in PARTS}
    facts |= {"id": row.pk, "xid": row.xid, "at": row.at.astimezone(UTC).isoformat(timespec="microseconds")}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, cls=DjangoJSONEncoder)
    return text.encode()


def link(previous: str, row: AuditRecord) -> str:
    """The digest of a record after the link before it."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(row)).hexdigest()


def seal() -> int:
    """Seal what has been committed and is not sealed yet; return how many records.

    One sealer at a time: a second one leaves the work to the first.
    """
    sealed = 0
    while batch := seal_batch():
        sealed += batch
    return sealed


@transaction.atomic
def seal_batch() -> int:
    """Seal up to `BATCH` records."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    last = AuditSeal.objects.select_related("record").order_by("-position").first()
    place = Cursor(last.record.xid, last.record.pk) if last else START
    rows = read(AuditRecord._meta.db_table, [], after=place, limit=BATCH)
    records = AuditRecord.objects.in_bulk([row["id"] for row in rows])
    previous, position = (last.digest, last.position) if last else (NO_LINK, 0)
    seals = []
    for row in rows:
        digest = link(previous, records[row["id"]])
        position += 1
        seals.append(AuditSeal(position=position, record_id=row["id"], previous=previous, digest=digest))
        previous = digest
    AuditSeal.objects.bulk_create(seals)
    return len(seals)


def links() -> Iterator[tuple[AuditSeal, AuditRecord | None]]:
    """Every link of the chain with its record, None where the record is gone; a batch at a time."""
    position = 0
    while batch := list(AuditSeal.objects.filter(position__gt=position).order_by("position")[:BATCH]):
        records = AuditRecord.objects.in_bulk([one.record_id for one in batch])
        for one in batch:
            yield one, records.get(one.record_id)
        position = batch[-1].position


def verify(known: str | None = None) -> dict[str, Any]:
    """Recompute the chain.

    Parameters
    ----------
    known
        The digest of a link noted earlier; it must still be part of the chain.

    Returns
    -------
    dict
        `sealed` (links that are right), `head` (the last digest, worth noting elsewhere) and `broken`: None,
        or the first broken link as `{"position", "record", "why"}`, why one of 'record missing',
        'record changed', 'link missing', 'link changed', 'known digest missing'.
    """
    previous, position, met = NO_LINK, 0, known is None
    for one, row in links():
        why = fault(one, row, previous, position + 1)
        if why:
            broken = {"position": position + 1, "record": one.record_id, "why": why}
            return {"sealed": position, "head": previous, "broken": broken}
        previous, position = one.digest, one.position
        met = met or previous == known
    lost = None if met else {"position": None, "record": None, "why": "known digest missing"}
    return {"sealed": position, "head": previous, "broken": lost}


def fault(one: AuditSeal, row: AuditRecord | None, previous: str, position: int) -> str | None:
    """What is wrong with one link; None when it is right."""
    if one.position != position:
        return "link missing"
    if one.previous != previous:
        return "link changed"
    if row is None:
        return "record missing"
    return None if link(previous, row) == one.digest else "record changed"
