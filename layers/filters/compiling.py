"""A checked filter into SQL: the text depends on its form alone, every value is bound.

Conditions on the geometry alone go inside the relation, where the spatial index serves them; fields are judged
outside it (alias `r`), where hidden values are already NULL. No expression of this module can fail on a stored
value: an error would tell of rows that the caller does not see, since PostgreSQL is free to judge them first.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from psycopg2 import sql

from layers import queries
from layers.catalogue import FieldInfo
from layers.filters.checking import Term
from layers.filters.operators import SPATIAL, TEMPORAL
from layers.moments import CITY_TIME, Moment
from layers.queries import Statement
from layers.rights import Scope
from layers.tables import SORTED_CHARACTERS, sort_expression

_CASTS = {
    "text": "text",
    "integer": "bigint",
    "real": "double precision",
    "date": "date",
    "datetime": "timestamptz",
    "boolean": "boolean",
}
_FUNCTIONS = {name: f"ST_{name.removeprefix('s_').title()}" for name in SPATIAL}
# Of the intervals (a, b) and (c, d).
_TEMPORAL = {
    "t_after": "{a} > {d}",
    "t_before": "{b} < {c}",
    "t_disjoint": "({a} > {d} OR {b} < {c})",
    "t_equals": "({a} = {c} AND {b} = {d})",
    "t_intersects": "({a} <= {d} AND {b} >= {c})",
    "t_during": "({a} > {c} AND {b} < {d})",
    "t_contains": "({a} < {c} AND {b} > {d})",
    "t_meets": "{b} = {c}",
    "t_metby": "{a} = {d}",
    "t_overlaps": "({a} < {c} AND {b} > {c} AND {b} < {d})",
    "t_overlappedby": "({a} > {c} AND {a} < {d} AND {b} > {d})",
    "t_starts": "({a} = {c} AND {b} < {d})",
    "t_startedby": "({a} = {c} AND {b} > {d})",
    "t_finishes": "({b} = {d} AND {a} > {c})",
    "t_finishedby": "({b} = {d} AND {a} < {c})",
}
_FIELDS = {"column", "valid_from", "valid_to", "last_valid_day"}
# Full case folding without a table of its own: capitals know ß as SS and both small sigmas as one. ICU's root
# collation says what a capital is, whatever the database's locale.
_FOLDED = {
    "casei": 'upper(({}) COLLATE "und-x-icu")',
    # Marks that combine with a letter, after letters and marks are taken apart.
    "accenti": "normalize(regexp_replace(normalize({}, NFD), '[\\u0300-\\u036f]', '', 'g'), NFC)",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter in SQL, with its bound values.

    `inside` names the stored row's geom and nothing else (for `queries.relation(where=…)`); `outside` names
    columns of a relation under alias `r`. Both must hold; None always does.
    """

    inside: sql.Composable | None = None
    outside: sql.Composable | None = None
    params: dict[str, Any] = field(default_factory=dict)


def compiled(term: Term) -> Condition:
    """The condition of a checked filter."""
    parts = _conjuncts(term)
    params: dict[str, Any] = {}
    inside = [one for one in parts if not _names_fields(one)]
    outside = [one for one in parts if _names_fields(one)]
    return Condition(
        _all_of(inside, _Writer(params, sql.Identifier("geom"))),
        _all_of(outside, _Writer(params, sql.Identifier("r", "geom"))),
        params,
    )


def filtered(
    scope: Scope, moment: Moment, condition: Condition, *, where: sql.Composable | None = None
) -> Statement:
    """The rows that a scope shows at a moment and that meet a condition: a parenthesised SELECT, for any door.

    Parameters
    ----------
    where
        A further condition for inside the relation, as `queries.relation` takes it.
    """
    inside = [one for one in (where, condition.inside) if one is not None]
    inner = queries.relation(scope, moment, where=sql.SQL(" AND ").join(inside) if inside else None)
    text = sql.SQL("(SELECT * FROM {} AS r WHERE {})").format(
        inner.text, sql.SQL("true") if condition.outside is None else condition.outside
    )
    return Statement(text, {**inner.params, **condition.params})


def _conjuncts(term: Term) -> list[Term]:
    return [part for one in term.args for part in _conjuncts(one)] if term.op == "and" else [term]


def equal(info: FieldInfo, value: Any) -> Term:
    """The term that a field has a value of its type."""
    return Term(
        "=", "boolean", (Term("column", info.type, value=info), Term("value", info.type, value=value))
    )


def _names_fields(term: Term) -> bool:
    return term.op in _FIELDS or any(map(_names_fields, term.args))


def _served_by_index(term: Term) -> bool:
    """Whether a term compares a text that has an index with values of which a beginning can be looked up there."""
    return (
        term.op in _BEGINNINGS
        and {one.op for one in term.args} in ({"column", "value"}, {"column", "list"})
        and any(one.op == "column" and one.type == "text" and one.value.indexed for one in term.args)
    )


def _beginning(term: Term) -> Term:
    return replace(term, value=term.value[:SORTED_CHARACTERS])


def _beginnings(term: Term) -> Term:
    return replace(term, value=[one[:SORTED_CHARACTERS] for one in term.value])


def _fixed_beginning(term: Term) -> Term:
    """A pattern for what stands before the first wildcard of one, as far as the index holds it, and anything after."""
    fixed = list(itertools.takewhile(lambda one: one not in {"%", "_"}, _CHARACTERS.findall(term.value)))
    return replace(term, value="".join(fixed[:SORTED_CHARACTERS]) + "%")


_CHARACTERS = re.compile(r"\\.|.", re.DOTALL)  # of a pattern; an escaped one counts as one
_BEGINNINGS: dict[str, Callable[[Term], Term]] = {
    "=": _beginning,
    "in": _beginnings,
    "like": _fixed_beginning,
}


def _all_of(parts: list[Term], writer: "_Writer") -> sql.Composable | None:
    return writer.joined(parts, " AND ") if parts else None


@dataclass(frozen=True)
class _Writer:
    params: dict[str, Any]
    geom: sql.Composable

    def text(self, term: Term) -> sql.Composable:
        """One term; parenthesised where it is not a single expression."""
        if term.op in {"and", "or"}:
            return self.joined(term.args, f" {term.op.upper()} ")
        if term.op in TEMPORAL:
            return self.temporal(term)
        if term.op in _FOLDED:
            return sql.SQL(_FOLDED[term.op]).format(self.text(term.args[0]))
        if term.args:
            return self.operator(term)
        return self.leaf(term)

    def joined(self, parts: Iterable[Term], word: str) -> sql.Composable:
        return sql.SQL("({})").format(sql.SQL(word).join(map(self.text, parts)))

    def operator(self, term: Term) -> sql.Composable:
        operands = [self.text(one) for one in term.args]
        if term.op in _FUNCTIONS:
            return sql.SQL("{}({}, {})").format(sql.SQL(_FUNCTIONS[term.op]), *operands)
        forms = {
            "not": "(NOT {})",
            "isNull": "({} IS NULL)",
            "in": "({} = ANY ({}))",
            "like": "({} LIKE {})",
            "day": "(({}) AT TIME ZONE {zone})::date",
        }
        form = sql.SQL(forms.get(term.op, "({} " + term.op + " {})"))
        judged = form.format(*operands, zone=sql.Literal(CITY_TIME.key))
        if not _served_by_index(term):
            return judged
        # The index on a text holds its beginning: what has another one is never read.
        column, value = sorted(term.args, key=lambda one: one.op != "column")
        begins = form.format(
            sort_expression(column.value.column, "text", "r"), self.bound(_BEGINNINGS[term.op](value))
        )
        return sql.SQL("({} AND {})").format(begins, judged)

    def temporal(self, term: Term) -> sql.Composable:
        (a, b), (c, d) = (
            (self.side(one.args[0], one.type, "-infinity"), self.side(one.args[1], one.type, "infinity"))
            for one in term.args
        )
        return sql.SQL(_TEMPORAL[term.op]).format(a=a, b=b, c=c, d=d)

    def side(self, term: Term, kind: str, unbounded: str) -> sql.Composable:
        if term.op == "unbounded":
            return sql.SQL("{}::{}").format(sql.Literal(unbounded), sql.SQL(_CASTS[kind]))
        return self.text(term)

    def leaf(self, term: Term) -> sql.Composable:
        plain = {
            "geom": self.geom,
            "valid_from": sql.Identifier("r", "valid_from"),
            "valid_to": sql.Identifier("r", "valid_to"),
            "last_valid_day": sql.SQL("coalesce(r.valid_to - 1, 'infinity'::date)"),
        }
        if term.op in plain:
            return plain[term.op]
        if term.op == "column":
            return sql.Identifier("r", term.value.column)
        return self.bound(term)

    def bound(self, term: Term) -> sql.Composable:
        name = f"filter_{len(self.params)}"
        self.params[name] = term.value
        value = sql.Placeholder(name)
        if term.op == "shape":
            return sql.SQL("ST_GeomFromWKB({}, {})").format(value, sql.Literal(settings.ONEMAP_SRID))
        kind = _CASTS[term.type] + ("[]" if term.op == "list" else "")
        return sql.SQL("CAST({} AS {})").format(value, sql.SQL(kind))
