"""What is in a changeset: its rows read and written, and what stands in their place on the one map."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg2 import sql

from layers import queries
from layers.actions.prepare import Stored
from layers.catalogue import LayerInfo
from layers.changesets.errors import TooManyFeatures
from layers.changesets.merging import Version
from layers.models import Changeset, ChangesetLayer
from layers.rules.values import coerced

SQL = Path(__file__).parent / "sql"
MOST_FEATURES = 20_000
# Versions within a changeset begin here, so that one is never taken for a version of the one map.
FIRST_VERSION = 2**30

Key = tuple[int, date | None]  # fid and, in layers with valid time, the first day of the period


@dataclass(frozen=True, slots=True)
class Draft:
    """A changed feature, or changed period of one, in a changeset. Geometry is WKB in the storage CRS."""

    fid: int
    period: date | None
    op: str
    version: int
    base_version: int | None
    base_revision: int | None
    geometry: bytes | None
    valid_from: date | None
    valid_to: date | None
    values: dict[str, Any]
    split_from: int | None
    merged_into: int | None

    @property
    def key(self) -> Key:
        """What it is known by in its layer."""
        return self.fid, self.period

    @property
    def as_version(self) -> Version | None:
        """For the merge; None where it deletes."""
        return None if self.op == "delete" else Version(self.geometry, self.valid_to, self.values)

    @property
    def as_stored(self) -> Stored:
        """As if it stood on the one map."""
        return Stored(
            self.fid, self.version, self.geometry, self.valid_from, self.valid_to, dict(self.values)
        )


def drafts(
    cursor: Any, changeset: int, layer: LayerInfo, fids: Collection[int] | None = None
) -> dict[Key, Draft]:
    """The rows of a changeset in a layer, in the order of fid and period; those of some features only."""
    bound = {"changeset": changeset, "layer": layer.id, "fids": None if fids is None else list(fids)}
    cursor.execute(queries.load_sql(SQL, "read_drafts"), bound)
    found = (_draft(layer, row) for row in cursor.fetchall())
    return {one.key: one for one in found}


def _draft(layer: LayerInfo, row: Sequence[Any]) -> Draft:
    fid, period, op, version, base_version, base_revision, geometry, start, end, content, split, merged = row
    given = json.loads(content)
    values = {one.column: coerced(one, given.get(one.column)) for one in layer.fields}
    shape = bytes(geometry) if geometry is not None else None
    return Draft(
        fid=fid,
        period=period,
        op=op,
        version=version,
        base_version=base_version,
        base_revision=base_revision,
        geometry=shape,
        valid_from=start,
        valid_to=end,
        values=values,
        split_from=split,
        merged_into=merged,
    )


def by_key(stored: Mapping[int, Iterable[Stored]]) -> dict[Key, Stored]:
    """Rows of the one map by what they are known by."""
    return {(one.fid, one.start): one for periods in stored.values() for one in periods}


def version_of(stored: Stored | None) -> Version | None:
    """A row of the one map for the merge."""
    return None if stored is None else Version(stored.geometry, stored.end, stored.values)


def overlaid(stored: Mapping[int, Sequence[Stored]], held: Mapping[Key, Draft]) -> dict[int, list[Stored]]:
    """The features as the changeset has them: its own rows in the place of those of the one map."""
    found: dict[int, list[Stored]] = {}
    for one in by_key(stored).values():
        if (one.fid, one.start) not in held:
            found.setdefault(one.fid, []).append(one)
    for draft in held.values():
        if draft.op != "delete":
            found.setdefault(draft.fid, []).append(draft.as_stored)
    return {fid: sorted(periods, key=lambda one: one.start or date.min) for fid, periods in found.items()}


def bases(cursor: Any, changeset: int, layer: LayerInfo, fids: Collection[int]) -> dict[Key, Version]:
    """What the changed features were when they were put in, from the layer and its past."""
    if not fids:
        return {}
    columns = [one.column for one in layer.fields]
    period = "was.valid_from" if layer.valid_time else "NULL::date"
    until = "was.valid_to" if layer.valid_time else "NULL::date"
    listed = [sql.SQL(", {}").format(sql.Identifier("was", name)) for name in columns]
    text = sql.SQL(queries.load_sql(SQL, "bases")).format(
        columns=sql.SQL("was.fid, {}, ST_AsBinary(was.geom), {}{}").format(
            sql.SQL(period), sql.SQL(until), sql.SQL("").join(listed)
        ),
        table=queries.table(layer),
        history=queries.history(layer),
        same_period=sql.SQL("was.valid_from = changed.period" if layer.valid_time else "true"),
    )
    bound = {"changeset": changeset, "layer": layer.id, "fids": list(fids)}
    cursor.execute(text.as_string(connection.connection), bound)
    found = {}
    for fid, start, geometry, end, *values in cursor.fetchall():
        shape = bytes(geometry) if geometry is not None else None
        found[fid, start] = Version(shape, end, dict(zip(columns, values, strict=True)))
    return found


def write(
    cursor: Any, changeset: Changeset, layer: LayerInfo, rows: Sequence[Mapping[str, Any]], by: str
) -> None:
    """Put rows in, each in the place of the one of the same feature and period.

    Parameters
    ----------
    rows
        JSON values: fid, period, op, version, base_version, base_revision, geom (hex EWKB), valid_from, valid_to,
        content, split_from, merged_into.
    """
    bound = {
        "changeset": changeset.pk,
        "layer": layer.id,
        "rows": json.dumps(rows, default=str),
        "author": by,
        "at": timezone.now(),
    }
    cursor.execute(queries.load_sql(SQL, "write_drafts"), bound)


def drop(cursor: Any, changeset: Changeset, layer: LayerInfo, keys: Collection[Key]) -> None:
    """Take rows out."""
    named = json.dumps([{"fid": fid, "period": day} for fid, day in keys], default=str)
    bound = {"changeset": changeset.pk, "layer": layer.id, "keys": named}
    cursor.execute(queries.load_sql(SQL, "drop_drafts"), bound)


def touched(cursor: Any, changeset: Changeset, layer: LayerInfo, by: str) -> int:
    """Count anew after the content changed; return the new counter.

    Raises
    ------
    TooManyFeatures
    """
    cursor.execute(
        "SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),"
        " count(*) FILTER (WHERE op = 'delete') FROM layers_changesetfeature"
        " WHERE changeset_id = %s AND layer_id = %s",
        [changeset.pk, layer.id],
    )
    counts = dict(zip(("inserted", "updated", "deleted"), cursor.fetchone(), strict=True))
    kept = ChangesetLayer.objects.filter(changeset=changeset, layer_id=layer.id)
    if any(counts.values()):
        ChangesetLayer.objects.update_or_create(changeset=changeset, layer_id=layer.id, defaults=counts)
    else:
        kept.delete()
    cursor.execute(
        "SELECT coalesce(sum(inserted + updated + deleted), 0) FROM layers_changesetlayer WHERE changeset_id = %s",
        [changeset.pk],
    )
    if cursor.fetchone()[0] > MOST_FEATURES:
        raise TooManyFeatures(most=MOST_FEATURES)
    changeset.counter += 1
    changeset.changed_at = timezone.now()
    if by not in changeset.editors:
        changeset.editors = [*changeset.editors, by]
    changeset.save(update_fields=["counter", "changed_at", "editors"])
    return changeset.counter
