"""The order of rows, and the place in it where a page ended: keyset paging over NULLs and ties.

NULLs come last in both directions; ties go by feature id (and start of validity), in the direction of the first
key, so that the index (column, fid) is read forwards or backwards. Texts are ordered by their first 200 characters:
an index holds no longer ones, and a page's token carries them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from layers.catalogue import FieldInfo
from layers.queries import Statement
from layers.tables import COLUMN_TYPES, sort_expression


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by; None is the feature id."""

    field: FieldInfo | None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last feature, and its values of the fields sorted by (as JSON holds them)."""

    fid: int
    valid_from: str | None = None
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Order:
    fields: tuple[SortKey, ...]  # those with a field, up to the feature id
    backwards: bool  # of the feature id
    valid_time: bool

    def key(self, number: int, row: str) -> sql.Composable:
        field = self.fields[number].field
        return sort_expression(field.column, field.type, row) if field else sql.Identifier(row, "fid")

    def bound(self, number: int) -> sql.Composable:
        field = self.fields[number].field
        kind = COLUMN_TYPES[field.type if field else "integer"]
        return sql.SQL("CAST({} AS {})").format(sql.Placeholder(f"after_{number}"), sql.SQL(kind))

    def tail(self, row: str) -> list[sql.Composable]:
        names = ("fid", "valid_from") if self.valid_time else ("fid",)
        return [sql.Identifier(row, name) for name in names]

    def tail_bounds(self) -> list[sql.Composable]:
        bounds = [sql.SQL("CAST(%(after_fid)s AS bigint)"), sql.SQL("CAST(%(after_from)s AS date)")]
        return list(bounds if self.valid_time else bounds[:1])


def page(
    rows: Statement, keys: Sequence[SortKey], after: Place | None, limit: int, *, valid_time: bool
) -> Statement:
    """The rows of one page, parenthesised: those of `rows`, and columns sort_0, sort_1 … with the values sorted by.

    Order them by `ordering` once more where they are used.

    Parameters
    ----------
    rows
        A parenthesised SELECT with fid (and valid_from) and the columns of the keys' fields.
    after
        The page before ended here; None is the first page.
    """
    order = _order(keys, valid_time)
    params = dict(rows.params)
    if after is not None:
        params |= {"after_fid": after.fid, "after_from": after.valid_from}
        params |= {f"after_{number}": value for number, value in enumerate(after.values)}
    branches = [_branch(order, rows.text, test, limit) for test in _branch_tests(order, after)]
    return Statement(sql.SQL("({})").format(sql.SQL(" UNION ALL ").join(branches)), params)


def fields_in(keys: Sequence[SortKey]) -> int:
    """How many columns sort_0 … a page sorted by these keys has."""
    return len(_order(keys, False).fields)


def ordering(keys: Sequence[SortKey], row: str, *, valid_time: bool) -> sql.Composable:
    """ORDER BY of a page's rows under alias `row`."""
    order = _order(keys, valid_time)
    parts: list[sql.Composable] = []
    for number, key in enumerate(order.fields):
        parts.append(
            sql.SQL("{} {} NULLS LAST").format(
                sql.Identifier(row, f"sort_{number}"), _direction(key.descending)
            )
        )
    parts += [sql.SQL("{} {}").format(one, _direction(order.backwards)) for one in order.tail(row)]
    return sql.SQL(", ").join(parts)


def _order(keys: Sequence[SortKey], valid_time: bool) -> _Order:
    fields: list[SortKey] = []
    backwards = keys[0].descending if keys else False
    for key in keys:
        if key.field is None:
            backwards = key.descending  # nothing after it: no two features have one id
            break
        fields.append(key)
    return _Order(tuple(fields), backwards, valid_time)


def _direction(descending: bool) -> sql.Composable:
    return sql.SQL("DESC" if descending else "ASC")


def _branch(order: _Order, rows: sql.Composable, test: sql.Composable | None, limit: int) -> sql.Composable:
    """The first rows of one part of the order: those with, or those without a value of the first key."""
    parts: list[sql.Composable] = []
    for number, key in enumerate(order.fields):
        # Within a branch the first key has no NULLs to place: as the index has it, in either direction.
        words = "" if number == 0 else " NULLS LAST"
        parts.append(
            sql.SQL("{} {}{}").format(order.key(number, "m"), _direction(key.descending), sql.SQL(words))
        )
    parts += [sql.SQL("{} {}").format(one, _direction(order.backwards)) for one in order.tail("m")]
    values = [
        sql.SQL(", {} AS {}").format(order.key(number, "m"), sql.Identifier(f"sort_{number}"))
        for number in range(len(order.fields))
    ]
    return sql.SQL("(SELECT m.*{} FROM {} AS m{} ORDER BY {} LIMIT {})").format(
        sql.SQL("").join(values),
        rows,
        sql.SQL("") if test is None else sql.SQL(" WHERE {}").format(test),
        sql.SQL(", ").join(parts),
        sql.Literal(limit),
    )


def _branch_tests(order: _Order, after: Place | None) -> list[sql.Composable | None]:
    if not order.fields:
        return [None if after is None else _beyond(order, 0, after)]
    first = order.key(0, "m")
    without = sql.SQL("{} IS NULL").format(first)
    if after is None:
        return [sql.SQL("{} IS NOT NULL").format(first), without]
    if after.values[0] is None:
        return [sql.SQL("{} AND {}").format(without, _beyond(order, 1, after))]
    return [_beyond_value(order, after), without]


def _beyond_value(order: _Order, after: Place) -> sql.Composable:
    """After a place, within the rows that have a value of the first key; a NULL fails every comparison."""
    key = order.fields[0]
    if len(order.fields) == 1 and key.descending == order.backwards:
        # One comparison of rows: the index is entered just there, however many ties lie before it.
        return _rows_compare(
            [order.key(0, "m"), *order.tail("m")], [order.bound(0), *order.tail_bounds()], key.descending
        )
    return sql.SQL("{key} {not_before} {value} AND ({key} {beyond} {value} OR {rest})").format(
        key=order.key(0, "m"),
        value=order.bound(0),
        not_before=sql.SQL("<=" if key.descending else ">="),
        beyond=sql.SQL("<" if key.descending else ">"),
        rest=_beyond(order, 1, after),
    )


def _beyond(order: _Order, number: int, after: Place) -> sql.Composable:
    """After a place by the keys from `number` on, those before being equal."""
    if number == len(order.fields):
        return _rows_compare(order.tail("m"), order.tail_bounds(), order.backwards)
    key, rest = order.key(number, "m"), _beyond(order, number + 1, after)
    if after.values[number] is None:
        return sql.SQL("({} IS NULL AND {})").format(key, rest)
    return sql.SQL("({key} {beyond} {value} OR {key} IS NULL OR ({key} = {value} AND {rest}))").format(
        key=key,
        value=order.bound(number),
        beyond=sql.SQL("<" if order.fields[number].descending else ">"),
        rest=rest,
    )


def _rows_compare(
    left: Sequence[sql.Composable], right: Sequence[sql.Composable], descending: bool
) -> sql.Composable:
    return sql.SQL("({}) {} ({})").format(
        sql.SQL(", ").join(left), sql.SQL("<" if descending else ">"), sql.SQL(", ").join(right)
    )
