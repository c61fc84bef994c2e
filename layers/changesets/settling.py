"""A changeset against the one map as it is now: what moved, what merges by itself, what somebody has to decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from django.db import connection, transaction

from accounts.principals import Principal
from layers.actions.edit import joined_keys, read_features
from layers.actions.errors import EditConflict, FeatureMissing
from layers.actions.prepare import Batch, Stored, inside, judge_geometry, row_of, writable_field
from layers.catalogue import FieldInfo, LayerInfo
from layers.changesets import content, merging
from layers.changesets.access import readable_scopes
from layers.changesets.content import FIRST_VERSION, Draft, Key
from layers.changesets.drafting import note, opened, shaped
from layers.changesets.errors import BadChoice
from layers.changesets.merging import EXISTENCE, GEOMETRY, PERIOD, Choice, Conflict, Merged, Version
from layers.models import Changeset
from layers.rights import Action, FieldNotFound, Scope, scope
from layers.rules.periods import Period, overlapping
from layers.rules.values import coerced, fault


@dataclass(frozen=True, slots=True)
class Meeting:
    """A changed feature beside what the one map has now, and what comes of both."""

    draft: Draft
    base: Version | None
    stored: Stored | None
    merged: Merged

    @property
    def moved(self) -> bool:
        """Whether the one map has another version now than the one the draft started from."""
        return (self.stored.revision if self.stored else None) != self.draft.base_revision

    @property
    def idle(self) -> bool:
        """Whether nothing is left to change: both sides came to the same."""
        return self.merged.result == content.version_of(self.stored)


@dataclass(frozen=True, slots=True)
class Decision:
    """How one conflict is to be settled.

    Attributes
    ----------
    version
        The version on the one map that the caller saw; None where the feature is gone there.
    part
        'geometry', 'period', 'feature', or the name of a field.
    value
        With 'other': a field's value, a day or None, or a geometry in the storage CRS.
    """

    layer: str
    key: Key
    version: int | None
    part: str
    take: str
    value: Any = None


def meetings(
    cursor: Any,
    changeset: int,
    layer: LayerInfo,
    stored: Mapping[int, Sequence[Stored]],
    held: Mapping[Key, Draft],
    choices: Mapping[Key, Mapping[str, Choice]] | None = None,
) -> list[Meeting]:
    """Each changed feature with what it meets, in the order of fid and period.

    Parameters
    ----------
    stored
        The rows of the one map of these features, read or locked.
    """
    now, chosen = content.by_key(stored), choices or {}
    bases = content.bases(cursor, changeset, layer, [fid for fid, _ in held])
    found = []
    for key, draft in held.items():
        theirs = now.get(key)
        base = bases.get(key) if draft.base_revision is not None else None
        merged = merging.merge(base, draft.as_version, content.version_of(theirs), chosen.get(key))
        found.append(Meeting(draft, base, theirs, merged))
    return _without_overlaps(found, stored, chosen) if layer.valid_time else found


def _without_overlaps(
    met: list[Meeting], stored: Mapping[int, Sequence[Stored]], chosen: Mapping[Key, Mapping[str, Choice]]
) -> list[Meeting]:
    """Name the new periods that overlap with what the one map has by now."""
    mine: dict[int, dict[Any, Version | None]] = {}
    for one in met:
        mine.setdefault(one.draft.fid, {})[one.draft.period] = one.merged.result
    found = []
    for one in met:
        fid, own = one.draft.fid, mine[one.draft.fid]
        last = {row.start: row.end for row in stored.get(fid, ())}
        last |= {start: version.valid_to for start, version in own.items() if version is not None}
        kept = [
            Period(start, end) for start, end in last.items() if own.get(start, True) is not None and start
        ]
        new = one.stored is None and one.merged.result is not None and not one.merged.conflicts
        if new and overlapping(kept):
            choice = chosen.get(one.draft.key, {}).get(EXISTENCE)
            given_up = choice is not None and choice.take == "theirs"
            overlap = Conflict("overlap", EXISTENCE, None, one.merged.result, None)
            merged = Merged(None) if given_up else Merged(one.merged.result, (overlap,))
            one = Meeting(one.draft, one.base, one.stored, merged)  # noqa: PLW2901 - the same meeting, judged
        found.append(one)
    return found


def rebased(layer: LayerInfo, met: Meeting, version: int) -> dict[str, Any]:
    """The row of the changeset after a merge: it starts from what the one map has now."""
    draft, result, theirs = met.draft, met.merged.result, met.stored
    last = result or content.version_of(theirs)
    assert last is not None
    period = Period(draft.period, last.valid_to) if draft.period else None
    geometry = shapely.from_wkb(last.geometry)
    row = row_of("", draft.fid, version, draft.period, geometry, period, last.values)
    return {
        "fid": draft.fid,
        "period": draft.period,
        "op": "delete" if result is None else "update" if theirs else "insert",
        "version": version,
        "base_version": theirs.version if theirs else None,
        "base_revision": theirs.revision if theirs else None,
        **shaped(layer, row),
        "split_from": draft.split_from,
        "merged_into": draft.merged_into,
    }


def conflicts(changeset: Changeset, principal: Principal) -> list[tuple[Scope, Meeting]]:
    """What somebody has to decide, as far as the caller's scopes show it."""
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        for one in readable_scopes(principal, changeset):
            held = content.drafts(cursor, changeset.pk, one.layer)
            stored = read_features(cursor, one.layer, sorted({fid for fid, _ in held}))
            met = meetings(cursor, changeset.pk, one.layer, stored, held)
            batch = _reach(cursor, one, stored, held.values())
            found += [
                (one, each)
                for each in met
                if each.merged.conflicts and _shown(one, batch, each.draft.as_stored)
            ]
    return found


def seen(found: Scope, met: Sequence[Meeting]) -> list[bool]:
    """Of each, whether the caller sees every version that met; else a conflict is named without its values."""
    sides = [_sides(one) for one in met]
    with connection.cursor() as cursor:
        batch = Batch(joined_keys(cursor, found, (), dict(enumerate(sides))))
    return [all(_shown(found, batch, side) for side in several) for several in sides]


def _sides(met: Meeting) -> list[Stored]:
    """The versions that met, as if each stood on the one map."""
    sides = [met.draft.as_stored]
    if met.stored is not None:
        sides.append(met.stored)
    if (was := met.base) is not None:
        sides.append(Stored(met.draft.fid, 0, was.geometry, met.draft.period, was.valid_to, dict(was.values)))
    return sides


def current_version(found: Scope, met: Meeting) -> int | None:
    """The version on the one map, where the caller sees it there."""
    if met.stored is None:
        return None
    with connection.cursor() as cursor:
        batch = _reach(cursor, found, {met.draft.fid: [met.stored]}, ())
        return met.stored.version if _shown(found, batch, met.stored) else None


def _reach(cursor: Any, found: Scope, stored: Mapping[int, Sequence[Stored]], held: Iterable[Draft]) -> Batch:
    """For rows of a table: which codes lie within the caller's areas."""
    several = {fid: list(rows) for fid, rows in stored.items()}
    for draft in held:
        several.setdefault(draft.fid, []).append(draft.as_stored)
    return Batch(joined_keys(cursor, found, (), several))


def _shown(found: Scope, batch: Batch, one: Stored) -> bool:
    return inside(found, batch, shapely.from_wkb(one.geometry), one.values)


def merge(changeset_id: int, principal: Principal, *, counter: int | None = None) -> tuple[int, int, int]:
    """Take over what the one map has by now wherever no conflict hinders it, in the layers the caller may edit.

    Returns
    -------
    tuple
        The counter, and of the features within the caller's areas: how many moved to the present version, how many
        have conflicts.

    Raises
    ------
    NotForYou, ChangesetClosed, ChangesetMoved
    """
    moved = waiting = 0
    changed = False
    with transaction.atomic(), connection.cursor() as cursor:
        changeset = opened(changeset_id, principal, counter)
        for found in readable_scopes(principal, changeset, Action.EDIT):
            layer = found.layer
            held = content.drafts(cursor, changeset.pk, layer)
            stored = read_features(cursor, layer, sorted({fid for fid, _ in held}))
            met = meetings(cursor, changeset.pk, layer, stored, held)
            clear = [one for one in met if one.moved and not one.merged.conflicts]
            batch = _reach(cursor, found, stored, held.values())
            waiting += sum(
                bool(one.merged.conflicts) and _shown(found, batch, one.draft.as_stored) for one in met
            )
            moved += sum(_shown(found, batch, one.draft.as_stored) for one in clear)
            _keep(cursor, changeset, layer, clear, principal)
            changed = changed or bool(clear)
        if changed:
            note(changeset, "merge", principal)
    return changeset.counter, moved, waiting


def _keep(
    cursor: Any, changeset: Changeset, layer: LayerInfo, met: Sequence[Meeting], principal: Principal
) -> None:
    """Write what became of these features, and drop what changes nothing any more."""
    if not met:
        return
    version = FIRST_VERSION + changeset.counter + 1
    content.drop(cursor, changeset, layer, [one.draft.key for one in met if one.idle])
    rows = [rebased(layer, one, version) for one in met if not one.idle]
    content.write(cursor, changeset, layer, rows, principal.name)
    content.touched(cursor, changeset, layer, principal.name)


def resolve(
    changeset_id: int, principal: Principal, decisions: Sequence[Decision], *, counter: int | None = None
) -> int:
    """Settle conflicts; all of a feature's at once. Return the counter.

    Raises
    ------
    NotForYou, ChangesetClosed, ChangesetMoved
    EditConflict
        The one map moved on since the caller saw the conflict.
    BadChoice
        A choice settles nothing, or a conflict of the same feature is left open.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        changeset = opened(changeset_id, principal, counter)
        for name in dict.fromkeys(one.layer for one in decisions):
            found = scope(principal, name, Action.EDIT)
            numbered = [(n, one) for n, one in enumerate(decisions, 1) if one.layer == name]
            met = _decided(cursor, changeset, found, numbered)
            _keep(cursor, changeset, found.layer, met, principal)
        note(changeset, "resolve", principal)
    return changeset.counter


def _decided(
    cursor: Any, changeset: Changeset, found: Scope, numbered: Sequence[tuple[int, Decision]]
) -> list[Meeting]:
    """The features that decisions speak of, as they then are."""
    fids = sorted({one.key[0] for _, one in numbered})
    held = content.drafts(cursor, changeset.pk, found.layer, fids)
    stored = read_features(cursor, found.layer, fids)
    batch = _reach(cursor, found, stored, held.values())
    choices: dict[Key, dict[str, Choice]] = {}
    for number, one in numbered:
        _judge_seen(found, batch, number, one, (held, content.by_key(stored)))
        part = _part(found, number, one, held[one.key])
        choices.setdefault(one.key, {})[part] = Choice(
            one.take, _value(found, batch, number, one, held[one.key])
        )
    met = meetings(cursor, changeset.pk, found.layer, stored, held, choices)
    named = {one.key: number for number, one in numbered}
    for each in met:
        if each.draft.key in named and each.merged.conflicts:
            open_part = named_part(found, each.merged.conflicts[0].part)
            reason = f"{open_part} of feature {each.draft.fid} is not decided"
            raise BadChoice(number=named[each.draft.key], reason=reason)
    return [each for each in met if each.draft.key in named]


def _judge_seen(
    found: Scope,
    batch: Batch,
    number: int,
    one: Decision,
    sides: tuple[Mapping[Key, Draft], Mapping[Key, Stored]],
) -> None:
    """That the caller sees both sides, and the present one as it is: nothing unseen is taken or told of."""
    draft, theirs = sides[0].get(one.key), sides[1].get(one.key)
    if draft is None or not _shown(found, batch, draft.as_stored):
        raise FeatureMissing(layer=found.layer.name, fid=one.key[0])
    if theirs is not None and not _shown(found, batch, theirs):
        raise BadChoice(number=number, reason="the feature lies beyond your right on the one map")
    current = theirs.version if theirs else None
    if current != one.version:
        facts = {"version": one.version or 0, "current": current or 0}
        raise EditConflict(layer=found.layer.name, fid=one.key[0], **facts)


def _part(found: Scope, number: int, one: Decision, draft: Draft) -> str:
    if one.part in {GEOMETRY, PERIOD, EXISTENCE}:
        return one.part
    return _field(found, number, one.part, draft).column


def _field(found: Scope, number: int, name: str, draft: Draft) -> FieldInfo:
    """A field that the caller may write where the changed feature lies."""
    try:
        return writable_field(found, name, [shapely.from_wkb(draft.geometry)])
    except FieldNotFound as error:
        raise BadChoice(number=number, reason=f"there is no field {name}") from error


def _value(found: Scope, batch: Batch, number: int, one: Decision, draft: Draft) -> Any:
    """The third value that a decision puts in the place of both."""
    if one.take != "other":
        return None
    if one.part == GEOMETRY:
        judge_geometry(found, number, one.value)
        if one.value is None or not inside(found, batch, one.value, {}):
            raise BadChoice(number=number, reason="no geometry within the area you may edit")
        return shapely.to_wkb(one.value)
    if one.part in {PERIOD, EXISTENCE}:
        raise BadChoice(number=number, reason="take ours or theirs")
    field = _field(found, number, one.part, draft)
    try:
        value = coerced(field, one.value)
    except (ValueError, OverflowError) as error:
        raise BadChoice(number=number, reason=f"not a value of type {field.type}") from error
    if word := fault(field, value):
        raise BadChoice(number=number, reason=f"field {field.name}: {word}")
    return value


def named_part(found: Scope, part: str) -> str:
    """A part as the caller knows it; a field that is not wholly theirs has no name."""
    if part in {GEOMETRY, PERIOD, EXISTENCE}:
        return part
    held = (one.field.name for one in found.fields if one.field.column == part and one.areas is None)
    return next(held, "a field beyond your right")
