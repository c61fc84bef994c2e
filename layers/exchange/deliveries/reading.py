"""A part of a delivery, or a layer of the one map, as the checks read it: columns and shapes, only those asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg2 import sql

from layers import catalogue, queries
from layers.catalogue import FieldInfo, LayerInfo
from layers.exchange.publishing import StagedRows
from layers.models import CodeValue
from layers.moments import Moment
from layers.queries import Statement
from layers.rights import operator_scope
from spatial.validity import GEOMETRIC, Family

ROWS_AT_ONCE = 5_000
CodeNames = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class CheckedPart:
    """Rows and what must hold of them.

    Attributes
    ----------
    name
        The source's name in the delivery; of a layer of the one map, the layer's.
    fields
        Column by field name.
    checks
        See `checks` of profile.schema.json.
    relation, number
        Where the rows are, and the column that numbers them: the row of the source, or the fid. Features of the
        one map that stay beside the rows of the source (modes append and upsert) have numbers below zero.
    code_names
        By field: the names of each code it may hold.
    joins, join_field
        Of a table: the layer whose key its field names.
    whole
        Whether the rows are all of their layer; else (append, upsert) they are some of them.
    """

    name: str
    layer_name: str
    fields: Mapping[str, str]
    family: Family
    checks: Mapping[str, Any]
    relation: Statement
    number: str
    key: str = ""
    code_names: Mapping[str, CodeNames] = field(default_factory=dict)
    joins: str = ""
    join_field: str = ""
    whole: bool = True

    @classmethod
    def of_staged(cls, name: str, rows: StagedRows, checks: Mapping[str, Any], *, new: bool) -> "CheckedPart":
        """Rows that wait in schema staging.

        Parameters
        ----------
        new
            Whether they make a new layer.
        """
        options = rows.options
        live = catalogue.current().layers.get(options.layer)
        part = cls(
            name=name,
            layer_name=options.layer,
            fields={one: column for one, column, _ in rows.fields},
            family=rows.family,
            checks=checks or (live.checks if live else {}),
            relation=_standing(rows, live),
            number="fid" if new else "row",
            key=options.key or (live.key_field if live else ""),
            code_names=_names_of(live.fields) if live else {},
            joins=options.joins or ((live.joins or "") if live else ""),
            join_field=options.join_field or (live.join_field if live else ""),
            whole=new or options.mode == "replace",
        )
        told = {
            one: names_of_list(facts["code_list"])
            for one, facts in options.fields.items()
            if facts.get("code_list")
        }
        return replace(part, code_names={**part.code_names, **told})

    @property
    def geometric(self) -> bool:
        """Whether its rows have a place."""
        return self.family in GEOMETRIC


@dataclass(frozen=True)
class Columns:
    """What was read of a part, in the order of its rows.

    Attributes
    ----------
    numbers : array of int, shape (n,)
        Row of the source, or fid.
    values
        By field name.
    shapes : array of geometries, shape (n,), or None
        Storage CRS.
    """

    numbers: NDArray[np.int64]
    values: Mapping[str, list[Any]]
    shapes: NDArray[np.object_] | None


def live_part(layer: LayerInfo) -> CheckedPart:
    """A layer of the one map: its current features, valid today."""
    return CheckedPart(
        name=layer.name,
        layer_name=layer.name,
        fields={one.name: one.column for one in layer.fields},
        family=layer.family,
        checks=layer.checks,
        relation=queries.relation(operator_scope(layer.name), Moment.today()),
        number="fid",
        key=layer.key_field,
        code_names=_names_of(layer.fields),
        joins=layer.joins or "",
        join_field=layer.join_field,
    )


def read(
    part: CheckedPart,
    names: Iterable[str],
    *,
    shapes: bool,
    cancelled: Callable[[], None] | None = None,
) -> Columns:
    """The fields asked for, through a server-side cursor; a geometry becomes its shape only if asked for."""
    wanted = sorted(set(names))
    with_shapes = shapes and part.geometric
    columns = [
        sql.Identifier(part.number),
        *([sql.SQL("ST_AsBinary(geom)")] if with_shapes else []),
        *(sql.Identifier(part.fields[name]) for name in wanted),
    ]
    text = sql.SQL("SELECT {} FROM {} AS source ORDER BY 1").format(
        sql.SQL(", ").join(columns), part.relation.text
    )
    numbers: list[int] = []
    found: list[Any] = []
    values: dict[str, list[Any]] = {name: [] for name in wanted}
    for batch in queries.streamed(Statement(text, part.relation.params), ROWS_AT_ONCE):
        if cancelled is not None:
            cancelled()
        turned = list(zip(*batch, strict=True))
        numbers += turned[0]
        if with_shapes:
            found.append(shapely.from_wkb([bytes(one) if one is not None else None for one in turned[1]]))
        for name, column in zip(wanted, turned[1 + with_shapes :], strict=True):
            values[name] += column
    gathered = np.concatenate(found) if found else np.array([], dtype=object)
    return Columns(np.array(numbers, dtype=np.int64), values, gathered if with_shapes else None)


def _standing(rows: StagedRows, live: LayerInfo | None) -> Statement:
    """The staged rows, and beside them what they leave as it is: rules speak of what the layer will hold."""
    staged = sql.Identifier("staging", rows.table)
    if live is None or rows.options.mode not in {"append", "upsert"}:
        return Statement(staged)
    present = queries.relation(operator_scope(live.name), Moment.today())
    key = rows.options.key or live.key_field
    column = next((column for name, column, _ in rows.fields if name == key), None)
    kept = sql.SQL("true")
    if rows.options.mode == "upsert" and column is not None:
        kept = sql.SQL("NOT EXISTS (SELECT FROM {} AS sent WHERE sent.{} = live.{})").format(
            staged, *[sql.Identifier(column)] * 2
        )
    known = {one.column for one in live.fields}
    columns = [column for _, column, _ in rows.fields]
    text = sql.SQL(
        "(SELECT {row}, geom, {names} FROM {staged}"
        " UNION ALL SELECT -fid, geom, {live} FROM {present} AS live WHERE {kept})"
    )
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    values = sql.SQL(", ").join(sql.Identifier(one) if one in known else sql.SQL("NULL") for one in columns)
    filled = text.format(
        row=sql.Identifier("row"), names=names, staged=staged, live=values, present=present.text, kept=kept
    )
    return Statement(filled, present.params)


def names_of_list(name: str) -> dict[str, tuple[str, ...]]:
    """The names of each code of a list `CODE@EDITION`, Chinese before English."""
    code, _, edition = name.partition("@")
    found = CodeValue.objects.filter(code_list__code=code, code_list__edition=edition)
    return {
        one: tuple(title for title in (zh, en) if title)
        for one, zh, en in found.values_list("code", "title_zh", "title_en")
    }


def _names_of(fields: Sequence[FieldInfo]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        one.name: {code[0]: tuple(title for title in code[1:3] if title) for code in one.codes}
        for one in fields
        if one.codes is not None
    }
