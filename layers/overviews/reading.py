"""Which shapes of a layer's overviews a scope may see."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from psycopg2 import sql

from layers import queries
from layers.moments import Moment
from layers.overviews.cells import class_column
from layers.queries import Statement
from layers.rights import FieldScope, Scope
from layers.tables import COLUMN_TYPES

COUNTS = ("features", "merged", "dropped")


def serves(scope: Scope, moment: Moment) -> bool:
    """Whether overviews can answer: they show what is valid today, as known now, and nothing else."""
    if not scope.layer.valid_time:
        moment = replace(moment, valid_from=None, valid_to=None)
        return moment == Moment()
    return moment == Moment.today()


def unanswered(scope: Scope) -> list[str]:
    """The parameters with which a tile of the overviews answers 204, as `serves` judges them."""
    return ["as-of", "changeset", *(["datetime"] if scope.layer.valid_time else [])]


def class_field(scope: Scope) -> FieldScope | None:
    """The field by which merged shapes are told apart, where the scope shows it."""
    column = class_column(scope.layer)
    return next((one for one in scope.fields if one.field.column == column), None)


def shapes(scope: Scope, moment: Moment, where: sql.Composable) -> Statement:
    """The overviews' shapes that a scope may see: a parenthesised SELECT, with a level bound as `level`.

    Columns: fid (null for merged shapes), number (of features in it), weight (the larger the sooner drawn), class
    (the class field's value), text (the label field's, of single features), geom (storage CRS).

    A single feature is judged as it is now by `layers.queries.relation`; under an area right only in the version that
    is drawn. Merged shapes are shown where no part of what they tell is limited: the class field is visible everywhere,
    and one of the areas covers all that was merged.

    Parameters
    ----------
    where
        A condition on `geom`.
    """
    params: dict[str, Any] = {"open_columns": [one.field.column for one in scope.fields if one.areas is None]}
    near = sql.SQL("fid = near.fid")
    inner = queries.relation(scope, moment, where=near)
    found = class_field(scope)
    label = next((one.field for one in scope.fields if one.field.name == scope.layer.label_field), None)
    text = sql.SQL(queries.load_sql(queries.SQL, "overview_shapes")).format(
        layer=sql.Literal(scope.layer.id),
        where=where,
        reach=_covered(scope, params),
        relation=inner.text,
        version=sql.SQL("true" if scope.areas is None else "r.version = near.version"),
        class_column=sql.Literal(found.field.column if found else ""),
        class_=sql.Identifier("r", found.field.column) if found else sql.SQL("NULL::text"),
        class_type=sql.SQL(COLUMN_TYPES[found.field.type] if found else "text"),
        text=sql.SQL("{}::text").format(sql.Identifier("r", label.column))
        if label
        else sql.SQL("NULL::text"),
    )
    return Statement(text, {**inner.params, **params})


def _covered(scope: Scope, params: dict[str, Any]) -> sql.Composable:
    """The condition that everything in a merged shape lies within one of the scope's areas."""
    if scope.areas is None:
        return sql.SQL("true")
    tests = []
    for number, area in enumerate(scope.areas):
        params[f"reach_{number}"] = area
        tests.append(
            sql.SQL("ST_Covers(ST_GeomFromWKB({}, {}), shape.reach)").format(
                sql.Placeholder(f"reach_{number}"), sql.Literal(settings.ONEMAP_SRID)
            )
        )
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests)) if tests else sql.SQL("false")


def merged_shown(scope: Scope) -> str:
    """Which merged shapes a scope sees: all, those within its areas, or none."""
    column = class_column(scope.layer)
    if column and not any(one.field.column == column and one.areas is None for one in scope.fields):
        return "none"
    return "all" if scope.areas is None else "within-area"


def level_facts(scope: Scope, level: Mapping[str, Any]) -> dict[str, Any]:
    """What a level leaves out, for a tile set's description: counts to those alone who may see everything.

    `cell` and `pixel` in metres; `features` stand for themselves, `merged` are in merged shapes, `dropped` are nowhere.
    """
    told = {name: level[name] for name in ("cell", "pixel")}
    if scope.unlimited:
        told |= {name: level[name] for name in COUNTS}
        told["droppedShare"] = round(level["dropped"] / max(sum(told[name] for name in COUNTS), 1), 4)
    return told
