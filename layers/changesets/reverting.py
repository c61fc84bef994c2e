"""Taking a publication back: a new changeset with the opposite changes, which goes the way of every other."""

from collections.abc import Mapping
from typing import Any

import shapely
from django.db import connection, transaction

from accounts.principals import Principal
from layers.actions.edit import joined_keys
from layers.actions.errors import WholeLayerOnly
from layers.actions.prepare import Batch, Stored, inside, row_of
from layers.catalogue import LayerNotFound
from layers.changesets import content
from layers.changesets.access import lock
from layers.changesets.content import FIRST_VERSION, Draft, Key
from layers.changesets.drafting import create, note, shaped
from layers.changesets.errors import NothingInIt
from layers.changesets.merging import Version
from layers.changesets.workflow import NotForYou, Role, State, StepNotAllowed
from layers.models import Changeset, ChangesetLayer
from layers.rights import Action, Scope, scope
from layers.rules.periods import Period


def revert(changeset_id: int, principal: Principal, *, reason: str) -> Changeset:
    """A new changeset of this caller that undoes a published one.

    It starts from the versions that the publication made: what was changed again since then comes up as a named
    conflict, like any other.

    Raises
    ------
    StepNotAllowed
        It is not published.
    NotForYou, WholeLayerOnly
        It changed layers that the caller does not see, fields or places that the caller may not edit.
    NothingInIt
        The publication changed nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        found = lock(changeset_id)
        if found.state != State.PUBLISHED:
            raise StepNotAllowed(changeset=found.pk, state=found.state, step="revert")
        made = create(principal, f"撤销 revert {found.pk}: {found.title}"[:200], reason)
        made.reverts = found
        made.save(update_fields=["reverts"])
        parts = ChangesetLayer.objects.filter(changeset=found, revision__isnull=False).order_by("layer_id")
        for part in parts.select_related("layer"):
            assert part.revision is not None
            _undo(cursor, found, made, _editing(principal, part.layer.name), part.revision, principal)
        if not made.counter:
            raise NothingInIt(changeset=found.pk)
        note(found, "revert", principal, reason)
    return made


def _editing(principal: Principal, name: str) -> Scope:
    """The caller's right to edit; a layer that does not exist for them is not named."""
    try:
        return scope(principal, name, Action.EDIT)
    except LayerNotFound as error:
        raise NotForYou(step="revert", role=Role.REVIEWER.value) from error


def _undo(
    cursor: Any, found: Changeset, made: Changeset, editing: Scope, revision: int, principal: Principal
) -> None:
    """Put the opposite of one layer's changes into the new changeset."""
    layer = editing.layer
    held = content.drafts(cursor, found.pk, layer)
    bases = content.bases(cursor, found.pk, layer, [fid for fid, _ in held])
    _refuse_beyond(cursor, editing, held, bases)
    version = FIRST_VERSION + made.counter + 1
    rows = [_opposite(editing, one, bases.get(one.key), revision, version) for one in held.values()]
    content.write(cursor, made, layer, rows, principal.name)
    content.touched(cursor, made, layer, principal.name)


def _opposite(
    editing: Scope, draft: Draft, base: Version | None, revision: int, version: int
) -> dict[str, Any]:
    last = base or Version(draft.geometry, draft.valid_to, draft.values)
    period = Period(draft.period, last.valid_to) if draft.period else None
    shape = shapely.from_wkb(last.geometry)
    row = row_of("", draft.fid, version, draft.period, shape, period, last.values)
    gone = draft.op == "delete"  # then it comes back: there is nothing to start from
    return {
        "fid": draft.fid,
        "period": draft.period,
        "op": {"insert": "delete", "update": "update", "delete": "insert"}[draft.op],
        "version": version,
        "base_version": None if gone else (draft.base_version or 0) + 1,
        "base_revision": None if gone else revision,
        **shaped(editing.layer, row),
        "split_from": None,
        "merged_into": None,
    }


def _refuse_beyond(
    cursor: Any, editing: Scope, held: Mapping[Key, Draft], bases: Mapping[Key, Version]
) -> None:
    """Refuse when a version to be replaced, or to be brought back, is not wholly the caller's to edit."""
    layer = editing.layer
    if len(editing.fields) < len(layer.fields):
        raise WholeLayerOnly(layer=layer.name)
    rows = [one.as_stored for one in held.values()]
    rows += [
        Stored(fid, 0, one.geometry, start, one.valid_to, dict(one.values))
        for (fid, start), one in bases.items()
    ]
    batch = Batch(joined_keys(cursor, editing, (), {0: rows}))
    if not all(inside(editing, batch, shapely.from_wkb(one.geometry), one.values) for one in rows):
        raise WholeLayerOnly(layer=layer.name)
