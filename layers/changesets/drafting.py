"""Making a changeset and putting changes into it. Nothing here touches the one map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Department
from accounts.principals import Principal
from layers.actions.edit import MOST_EDITS, FeatureEdit, joined_keys, read_features, reserve_fids
from layers.actions.errors import BadEdit, FeatureMissing, TooManyEdits
from layers.actions.prepare import Batch, Stored, inside, prepare, row_of
from layers.catalogue import LayerInfo
from layers.changesets import content
from layers.changesets.access import lock, may_edit, roles_of
from layers.changesets.content import FIRST_VERSION, Draft, Key
from layers.changesets.errors import ChangesetClosed, ChangesetMoved, SignInToChange, TooManyChangesets
from layers.changesets.workflow import NotForYou, Role, State
from layers.models import Changeset, ChangesetFeature, ChangesetStep
from layers.rights import Action, Scope, scope
from layers.rules.periods import Period
from process import audit

MOST_UNFINISHED = 200  # of one owner
ENDED = (State.PUBLISHED, State.ABANDONED)


@dataclass(frozen=True, slots=True)
class DraftEdit(FeatureEdit):
    """An edit within a changeset.

    Attributes
    ----------
    version
        The one that the map with the changeset shows.
    split_from, merged_into
        The feature this one is a part of, and the one that took it in: a fid, or -N for the feature that edit N
        of the same call inserts.
    """

    split_from: int | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """What came of it: the changeset's counter, and the fids and versions in the order of the edits."""

    counter: int
    fids: tuple[int, ...]
    versions: tuple[int, ...]


def create(principal: Principal, title: str, about: str = "", *, shared: bool = False) -> Changeset:
    """A new, empty changeset of this caller.

    Raises
    ------
    SignInToChange, TooManyChangesets
    """
    if principal.kind == "public":
        raise SignInToChange()
    unfinished = Changeset.objects.filter(owner=principal.name).exclude(state__in=ENDED)
    if unfinished.count() >= MOST_UNFINISHED:
        raise TooManyChangesets(limit=MOST_UNFINISHED)
    office = Department.objects.filter(code=principal.department_code or "").first()
    with transaction.atomic():
        made = Changeset.objects.create(
            title=title,
            about=about,
            owner=principal.name,
            department=office,
            shared=shared and office is not None,
            state=State.SHARED if shared and office is not None else State.PRIVATE,
        )
        note(made, "create", principal, about)
    return made


def describe(changeset_id: int, principal: Principal, title: str | None, about: str | None) -> Changeset:
    """Give it another title or another occasion, while it is open.

    Raises
    ------
    ChangesetClosed, NotForYou
    """
    with transaction.atomic():
        found = opened(changeset_id, principal)
        found.title = found.title if title is None else title
        found.about = found.about if about is None else about
        found.changed_at = timezone.now()
        found.save(update_fields=["title", "about", "changed_at"])
        audit.record(principal, "changeset.describe", "changeset", str(found.pk), title=found.title)
    return found


def note(changeset: Changeset, step: str, principal: Principal, reason: str = "") -> None:
    """Log a step, here and in the audit."""
    ChangesetStep.objects.create(
        changeset=changeset,
        step=step,
        state=changeset.state,
        counter=changeset.counter,
        by=principal.name,
        reason=reason,
    )
    audit.record(principal, f"changeset.{step}", "changeset", str(changeset.pk), reason=reason)


def opened(changeset_id: int, principal: Principal, counter: int | None = None) -> Changeset:
    """The changeset, locked, if this caller may change its content now.

    Raises
    ------
    NotForYou
        It is another's, and not shared with the caller.
    ChangesetClosed
        It is under review, or its life is over.
    ChangesetMoved
        It is no longer at the counter named.
    """
    found = lock(changeset_id)
    roles = roles_of(principal, found)
    if not {Role.OWNER, Role.COLLEAGUE} & roles:
        raise NotForYou(step="edit", role=Role.OWNER.value)
    if not may_edit(found, roles):
        raise ChangesetClosed(changeset=found.pk, state=found.state)
    if counter is not None and counter != found.counter:
        raise ChangesetMoved(changeset=found.pk, counter=counter, current=found.counter)
    return found


def put(
    changeset_id: int,
    principal: Principal,
    layer_name: str,
    edits: Sequence[DraftEdit],
    *,
    counter: int | None = None,
) -> Put:
    """Put all the edits in, or none.

    Each is judged as an edit of the one map would be: fields, area (of the old and the new geometry), values. A new
    feature has its fid from the layer at once.

    Raises
    ------
    NotForYou, ChangesetClosed, ChangesetMoved, TooManyFeatures
    EditConflict, FeatureMissing, BadEdit, OutsideArea, VersionRequired, TooManyEdits
    """
    if not 1 <= len(edits) <= MOST_EDITS:
        raise TooManyEdits(most=MOST_EDITS)
    with transaction.atomic(), connection.cursor() as cursor:
        changeset = opened(changeset_id, principal, counter)
        found = scope(principal, layer_name, Action.EDIT)
        layer = found.layer
        stored = read_features(cursor, layer, sorted(_named(edits)))
        held = content.drafts(cursor, changeset.pk, layer, _named(edits))
        before = content.overlaid(stored, held)
        new_fids = reserve_fids(cursor, layer, sum(edit.op == "insert" for edit in edits))
        batch = prepare(found, edits, before, new_fids, joined_keys(cursor, found, edits, before))
        lineage = _lineage(found, edits, batch, stored, held)
        version = FIRST_VERSION + changeset.counter + 1
        rows, gone = _rows(batch, layer, content.by_key(stored), held, version, lineage)
        content.drop(cursor, changeset, layer, gone)
        content.write(cursor, changeset, layer, rows, principal.name)
        after = content.touched(cursor, changeset, layer, principal.name)
        audit.record(
            principal, "changeset.edit", "changeset", str(changeset.pk), layer=layer.name, edits=len(edits)
        )
    return Put(after, batch.fids, (version,) * len(batch.fids))


def _named(edits: Sequence[DraftEdit]) -> set[int]:
    """Every feature that the edits speak of."""
    spoken = [fid for edit in edits for fid in (edit.fid, edit.split_from, edit.merged_into)]
    return {fid for fid in spoken if fid is not None and fid > 0}


def _lineage(
    found: Scope,
    edits: Sequence[DraftEdit],
    batch: Batch,
    stored: Mapping[int, Sequence[Stored]],
    held: Mapping[Key, Draft],
) -> dict[int, tuple[int | None, int | None]]:
    """By fid: the feature it was split from and the one it was merged into."""
    known = [
        *(one for periods in stored.values() for one in periods),
        *(one.as_stored for one in held.values()),
    ]
    seen = {one.fid for one in known if inside(found, batch, shapely.from_wkb(one.geometry), one.values)}
    lineage = {}
    for number, edit in enumerate(edits, 1):
        named = []
        for given in (edit.split_from, edit.merged_into):
            fid = _inserted(edits, batch, number, -given) if given is not None and given < 0 else given
            if fid is not None and fid not in seen and fid not in batch.fids:
                raise FeatureMissing(layer=found.layer.name, fid=fid)
            named.append(fid)
        lineage[batch.fids[number - 1]] = (named[0], named[1])
    return lineage


def _inserted(edits: Sequence[DraftEdit], batch: Batch, number: int, meant: int) -> int:
    if not 1 <= meant <= len(edits) or edits[meant - 1].op != "insert":
        reason = f"edit {meant} inserts no feature"
        raise BadEdit(number=number, reason=reason, reason_zh=f"第 {meant} 条编辑没有新增要素")
    return batch.fids[meant - 1]


def _rows(
    batch: Batch,
    layer: LayerInfo,
    stored: Mapping[Key, Stored],
    held: Mapping[Key, Draft],
    version: int,
    lineage: Mapping[int, tuple[int | None, int | None]],
) -> tuple[list[dict[str, Any]], list[Key]]:
    """The rows to put in, and those to take out since what they would insert is deleted again."""
    texts = {str(one.period): one.period for one in held.values()} | {str(day): day for _, day in stored}
    rows, gone = [], []
    for row in batch.rows:
        day = row.get("valid_from") if row["op"] == "insert" else row["period"]
        key = (row["fid"], texts.get(str(day)) if day is not None else None)
        old, base = held.get(key), stored.get(key)
        if row["op"] == "delete" and old is not None and old.op == "insert":
            gone.append(key)
            continue
        split_from, merged_into = lineage.get(row["fid"], (None, None))
        start = (
            (old.base_version, old.base_revision)
            if old
            else (base.version, base.revision)
            if base
            else (None, None)
        )
        whole = row if row["op"] != "delete" else _last(layer, old.as_stored if old else base)
        rows.append(
            {
                "fid": row["fid"],
                "period": day,
                "op": _op(row["op"], old),
                "version": version,
                "base_version": start[0],
                "base_revision": start[1],
                **shaped(layer, whole),
                "split_from": split_from,
                "merged_into": merged_into,
            }
        )
    return rows, gone


def _op(op: str, old: Draft | None) -> str:
    """What the changeset does to a feature, after one more edit of it."""
    if old is None or op == "delete":
        return op
    return "insert" if old.op == "insert" else "update"


def _last(layer: LayerInfo, last: Stored | None) -> dict[str, Any]:
    """The row that a delete takes away: the changeset keeps where it was."""
    assert last is not None
    period = Period(last.start, last.end) if last.start else None
    return row_of(
        "delete", last.fid, last.version, last.start, shapely.from_wkb(last.geometry), period, last.values
    )


def shaped(layer: LayerInfo, row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row for the layer's table, what a row of a changeset keeps: geom, the period, and the values."""
    values = {one.column: row.get(one.column) for one in layer.fields}
    return {
        "geom": row.get("geom"),
        "valid_from": row.get("valid_from"),
        "valid_to": row.get("valid_to"),
        "content": values,
    }


def take_out(changeset_id: int, principal: Principal, layer_name: str, fid: int) -> int:
    """Take what a changeset does to one feature back out of it; return the counter.

    Raises
    ------
    NotForYou, ChangesetClosed
    FeatureMissing
        It does nothing to such a feature, or the caller may not edit there.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        changeset = opened(changeset_id, principal)
        found = scope(principal, layer_name, Action.EDIT)
        held = content.drafts(cursor, changeset.pk, found.layer, [fid])
        batch = Batch(joined_keys(cursor, found, (), {fid: [one.as_stored for one in held.values()]}))
        reached = [inside(found, batch, shapely.from_wkb(one.geometry), one.values) for one in held.values()]
        if not reached or not all(reached):
            raise FeatureMissing(layer=layer_name, fid=fid)
        content.drop(cursor, changeset, found.layer, list(held))
        if all(one.op == "insert" for one in held.values()):  # then it never was: nothing comes from it
            _forget(changeset, found.layer, fid)
        counter = content.touched(cursor, changeset, found.layer, principal.name)
        audit.record(
            principal, "changeset.take-out", "changeset", str(changeset.pk), layer=layer_name, fid=fid
        )
    return counter


def _forget(changeset: Changeset, layer: LayerInfo, fid: int) -> None:
    left = ChangesetFeature.objects.filter(changeset=changeset, layer_id=layer.id)
    left.filter(split_from=fid).update(split_from=None)
    left.filter(merged_into=fid).update(merged_into=None)
