"""Publication: a changeset becomes part of the one map, on all its layers at once or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from django.db import connection, transaction
from psycopg2 import sql

from accounts.principals import Principal
from layers import catalogue, queries
from layers.actions.edit import joined_keys, lock_features, writing
from layers.actions.locks import join_editors
from layers.actions.prepare import Batch, Stored
from layers.actions.whole import NewVersion, prepare_versions
from layers.catalogue import LayerInfo
from layers.changesets import content
from layers.changesets.access import lock, touched_names
from layers.changesets.errors import ChangesetMoved, ConflictsBeyond, HasConflicts
from layers.changesets.reviewing import advance, begin
from layers.changesets.settling import Meeting, meetings, named_part, rebased, seen
from layers.models import Changeset, ChangesetLayer
from layers.rights import Action, Scope, scope

KIND = "changeset"
MOST_NAMED = 100  # features with conflicts that a refusal names


@dataclass(frozen=True, slots=True)
class Ready:
    """One layer's part: judged, and only to be written."""

    scope: Scope
    met: tuple[Meeting, ...]
    batch: Batch


def publish(changeset_id: int, principal: Principal, *, reason: str, counter: int | None) -> Changeset:
    """Write an approved changeset to the layers it touches.

    The order is that of every writer: the features of all layers are locked in the order of layer and fid, all is
    judged, then the layers' rows are locked in id order and only writing statements follow. What moved on the one
    map since is merged where nothing contradicts.

    Raises
    ------
    StepNotAllowed, NotForYou, ChangesetMoved
        It is not approved, the caller may not publish on every layer, or the approval was of other content.
    HasConflicts, ConflictsBeyond
        The one map moved on in the same places; nothing is written.
    LayerBusy, OutsideArea, BadEdit, FeatureMissing
        Of a layer, or beyond the caller's right there; nothing is written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        found = lock(changeset_id)
        begin(found, principal, "publish", reason=reason, counter=counter)
        if not found.counter == found.approved_counter == counter:
            raise ChangesetMoved(changeset=found.pk, counter=counter, current=found.counter)
        known = catalogue.current()
        scopes = [scope(principal, name, Action.PUBLISH, of=known) for name in touched_names(found)]
        ready = _ready(cursor, found, scopes)
        for one in ready:
            _settle(cursor, found, one)
        advance(found, "publish", principal, reason)
        _write(cursor, found, ready)
    return found


def _ready(cursor: Any, found: Changeset, scopes: Sequence[Scope]) -> list[Ready]:
    """Lock what is to change and judge it."""
    for one in scopes:
        join_editors(cursor, one.layer)
    held = [content.drafts(cursor, found.pk, one.layer) for one in scopes]
    stored = [
        lock_features(cursor, one.layer, sorted({fid for fid, _ in drafts}))
        for one, drafts in zip(scopes, held, strict=True)
    ]
    met = [
        meetings(cursor, found.pk, one.layer, rows, drafts)
        for one, rows, drafts in zip(scopes, stored, held, strict=True)
    ]
    _refuse_conflicts(scopes, met)
    return [
        Ready(one, tuple(several), _batch(cursor, one, several, rows))
        for one, several, rows in zip(scopes, met, stored, strict=True)
    ]


def _refuse_conflicts(scopes: Sequence[Scope], met: Sequence[Sequence[Meeting]]) -> None:
    shown, beyond = [], False
    for one, several in zip(scopes, met, strict=True):
        contested = [each for each in several if each.merged.conflicts]
        # The publisher's right may end where the changeset does not: what lies beyond it is neither named nor counted.
        judged = seen(one, contested)
        shown += [(one, each) for each, visible in zip(contested, judged, strict=True) if visible]
        beyond = beyond or not all(judged)
    if shown:
        of, each = shown[0]
        first = f"{of.layer.name} {each.draft.fid}: {named_part(of, each.merged.conflicts[0].part)}"
        features = [{"layer": of.layer.name, "fid": each.draft.fid} for of, each in shown[:MOST_NAMED]]
        raise HasConflicts(count=len(shown), first=first, features=features)
    if beyond:
        raise ConflictsBeyond()


def _batch(cursor: Any, found: Scope, met: Sequence[Meeting], stored: dict[int, list[Stored]]) -> Batch:
    again = _last_versions(
        cursor, found.layer, [one.draft.fid for one in met if one.stored is None and one.merged.result]
    )
    versions = []
    for one in met:
        if one.idle:
            continue
        result = one.merged.result
        facts = (None, None, {}) if result is None else (result.geometry, result.valid_to, result.values)
        versions.append(
            NewVersion(
                one.draft.fid,
                one.draft.period,
                shapely.from_wkb(facts[0]),
                facts[1],
                facts[2],
                version=again.get(one.draft.fid, 0) + 1,
                gone=result is None,
            )
        )
    rows = {fid: list(several) for fid, several in stored.items()}
    for one in met:
        if one.draft.op != "delete":
            rows.setdefault(one.draft.fid, []).append(one.draft.as_stored)
    return prepare_versions(found, versions, stored, joined_keys(cursor, found, (), rows))


def _last_versions(cursor: Any, layer: LayerInfo, fids: Sequence[int]) -> dict[int, int]:
    """Of features that come back or get a further period: the highest version any of their periods ever had.

    The new version stands above it, so that whoever read an older one is told.
    """
    if not fids:
        return {}
    text = sql.SQL(
        "SELECT fid, max(version) FROM (SELECT fid, version FROM {} WHERE fid = ANY(%(fids)s)"
        " UNION ALL SELECT fid, version FROM {} WHERE fid = ANY(%(fids)s)) AS every GROUP BY 1"
    ).format(queries.table(layer), queries.history(layer))
    cursor.execute(text.as_string(connection.connection), {"fids": list(fids)})
    return dict(cursor.fetchall())


def _settle(cursor: Any, found: Changeset, one: Ready) -> None:
    """Let the changeset itself hold what is published: what it merged with, without what changes nothing."""
    layer = one.scope.layer
    content.drop(cursor, found, layer, [each.draft.key for each in one.met if each.idle])
    moved = [each for each in one.met if each.moved and not each.idle]
    rows = [rebased(layer, each, each.draft.version) for each in moved]
    content.write(cursor, found, layer, rows, found.owner)


def _write(cursor: Any, found: Changeset, ready: Sequence[Ready]) -> None:
    """Only writing statements from here, in one round trip."""
    texts = []
    for one in ready:
        if one.batch.rows:
            told = {"kind": KIND, "author": found.owner, "reason": f"changeset {found.pk}: {found.title}"}
            statement = writing(one.scope.layer, one.batch, **told)
            text = statement.text.as_string(connection.connection)
            texts.append(cursor.mogrify(text, statement.params).decode())
    if texts:
        cursor.execute(";\n".join(texts))
    layers = [one.scope.layer.id for one in ready if one.batch.rows]
    for part in ChangesetLayer.objects.filter(changeset=found, layer_id__in=layers).select_related("layer"):
        part.revision = part.layer.revision
        part.save(update_fields=["revision"])
