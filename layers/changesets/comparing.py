"""What a changeset changes: each feature as it was when it was put in, and as it would be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg2 import sql

from layers import queries
from layers.changesets.content import SQL
from layers.moments import Moment
from layers.queries import Statement
from layers.rights import Scope

EPOCH = date(1970, 1, 1)
MOST = 500


class Place(NamedTuple):
    """Where a page of changes ended."""

    layer_id: int
    fid: int
    period: date | None


@dataclass(frozen=True, slots=True)
class Side:
    """A feature before or after: properties by field name, GeoJSON (longitude, latitude), square metres."""

    properties: dict[str, Any]
    geometry: dict[str, Any] | None
    area: float | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed feature, or changed period of one."""

    layer: str
    fid: int
    period: date | None
    op: str
    author: str
    at: datetime
    split_from: int | None
    merged_into: int | None
    version: int
    base_version: int | None
    base_revision: int | None
    before: Side | None
    after: Side | None
    reshaped: bool

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The fields that change: name, before, after."""
        if self.before is None or self.after is None:
            return []
        was, now = self.before.properties, self.after.properties
        return [
            {"name": name, "before": was[name], "after": now[name]} for name in now if was[name] != now[name]
        ]


@dataclass(frozen=True, slots=True)
class Ledger:
    """How many features and how much ground (square metres on the ellipsoid), as far as the caller sees them."""

    inserted: int
    updated: int
    deleted: int
    area_before: float
    area_after: float


def differences(
    scope: Scope, changeset: int, after: Place | None, most: int, op: str | None
) -> list[Difference]:
    """A page of a layer's changes, by fid and period; rows the caller sees neither side of are blank.

    Parameters
    ----------
    most
        Rows read; the last of them is where the next page begins, seen or not.
    """
    older_properties, older_names = queries.json_properties(scope.fields, "o", "was")
    newer_properties, newer_names = queries.json_properties(scope.fields, "n")
    end = "{}.valid_to" if scope.layer.valid_time else "NULL::date"
    same = " AND {}.valid_from = changed.period" if scope.layer.valid_time else ""
    # An array: a subquery may be joined row by row with thousands of drafts.
    within = sql.SQL("fid = ANY(ARRAY(SELECT fid FROM page))")
    statement = _both_sides(
        scope,
        queries.relation(scope, Moment(changeset=changeset), where=within),
        "page_of_changes",
        older_properties=older_properties,
        newer_properties=newer_properties,
        older_end=sql.SQL(end.format("o")),
        newer_end=sql.SQL(end.format("n")),
        older_period=sql.SQL(same.format("o")),
        newer_period=sql.SQL(same.format("n")),
    )
    bound = {
        "after_fid": after.fid if after else 0,
        "after_period": (after.period if after else None) or EPOCH,
        "op": op,
        "most": most,
    }
    rows = queries.rows(
        Statement(statement.text, {**statement.params, **older_names, **newer_names, **bound})
    )
    return [_difference(scope, row) for row in rows]


def ledger(scope: Scope, changeset: int) -> Ledger:
    """The sums of a layer's changes."""
    day = "{}.valid_from" if scope.layer.valid_time else "NULL::date"
    periods = {"older_period": sql.SQL(day.format("o")), "newer_period": sql.SQL(day.format("n"))}
    newer = queries.drafted(scope, changeset)
    found = queries.rows(_both_sides(scope, newer, "ledger", **periods))[0]
    inserted, updated, deleted, before, after = found
    return Ledger(inserted, updated, deleted, round(before, 2), round(after, 2))


def _both_sides(scope: Scope, newer: Statement, name: str, **parts: sql.Composable) -> Statement:
    older = queries.started_from(scope)
    text = sql.SQL(queries.load_sql(SQL, name)).format(older=older.text, newer=newer.text, **parts)
    return Statement(text, {**older.params, **newer.params})


def _difference(scope: Scope, row: tuple[Any, ...]) -> Difference:
    facts, older, newer, same_shape = row[:10], row[10:14], row[14:18], row[18]
    before, after = _side(older), _side(newer)
    reshaped = before is not None and after is not None and not same_shape
    whole = [scope.layer.name, *facts, before, after, reshaped]
    return Difference(*whole)


def _side(part: tuple[Any, ...]) -> Side | None:
    properties, geometry, area, end = part
    if properties is None:
        return None
    return Side(
        json.loads(properties),
        json.loads(geometry) if geometry else None,
        round(area, 2) if area is not None else None,
        end,
    )


def pages(
    scopes: list[Scope], changeset: int, after: Place | None, limit: int, op: str | None
) -> Iterator[tuple[Difference, Place]]:
    """Changes the caller sees, over all the layers in id order, each with the place it stands at; one too many."""
    left = limit + 1
    for scope in scopes:
        place = after if after is not None and after.layer_id == scope.layer.id else None
        if after is not None and scope.layer.id < after.layer_id:
            continue
        while left > 0:
            found = differences(scope, changeset, place, left, op)
            for one in found:
                place = Place(scope.layer.id, one.fid, one.period)
                if one.before is not None or one.after is not None:
                    left -= 1
                    yield one, place
            if not found:
                break
