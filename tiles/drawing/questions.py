"""What a picture of a layer shows, as a question that Mapnik's PostGIS source can ask.

The rows are those of layers.queries.relation (or of the overviews, where a picture is coarser than the layer's first
level), with the fields alone that the style needs. Values are written into the text, since Mapnik knows no bound
values; it replaces `!bbox!` and reads `@name` even inside quotes and then drops its own condition, so values are
written without either character.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from psycopg2 import sql
from psycopg2.extensions import AsIs

from layers import queries
from layers.levels import city_grid
from layers.moments import Moment
from layers.overviews import reading
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import numeric_bounds
from tiles.framing import connected

OVERVIEW_PX = 512  # how wide the tiles are for which overviews are made
BOX = sql.SQL("geom && !bbox!")
SPECIAL = re.compile(r"[!@]")


@dataclass(frozen=True, slots=True)
class Question:
    """A source: its parameters, the column of each field in it, and the column that merged shapes leave null."""

    source: dict[str, str]
    columns: dict[str, str]
    label: str
    merged: str


def question(
    scope: Scope, moment: Moment, fields: frozenset[str], label: str, metres: float, first: int | None
) -> Question:
    """The source for a picture.

    Parameters
    ----------
    fields
        Names of the fields that the style asks about; those hidden from the scope are left out.
    label
        Name of the field whose text is written, "" for none; left out like the others.
    metres
        Of a pixel.
    first
        The layer's first level in CityGrid where it has overviews, else None.
    """
    level = overview_level(metres, first)
    if level is not None and reading.serves(scope, moment):
        return _of_overview(scope, moment, label, level)
    shown = {one.field.name: one.field.column for one in scope.fields}
    text_column = shown.get(label, "")
    columns = {name: shown[name] for name in sorted(fields) if name in shown}
    inner = queries.relation(scope, moment, where=BOX)
    wanted = sql.SQL(", ").join(
        sql.Identifier(one) for one in dict.fromkeys((*columns.values(), text_column)) if one
    )
    text = sql.SQL("(SELECT r.geom{} FROM {} AS r) AS features").format(
        sql.SQL(", {}").format(wanted) if columns or text_column else sql.SQL(""), inner.text
    )
    return Question(_source(written(Statement(text, inner.params))), columns, text_column, "")


def overview_level(metres: float, first: int | None) -> int | None:
    """The level of CityGrid whose overviews fit a pixel of this size; None where the features themselves do."""
    if not first:
        return None
    grid = city_grid()
    for level in range(first):
        if grid.size / (1 << level) / OVERVIEW_PX <= metres * 1.1:
            return level
    return None


def _of_overview(scope: Scope, moment: Moment, label: str, level: int) -> Question:
    """The source of a small zoom; overviews hold the texts of the layer's own label field alone."""
    shapes = reading.shapes(scope, moment, BOX)
    text = sql.SQL("(SELECT fid, class, text, geom FROM {} AS s) AS features").format(shapes.text)
    found = reading.class_field(scope)
    columns = {found.field.name: "class"} if found is not None else {}
    own = label == scope.layer.label_field
    visible = own and any(one.field.name == label for one in scope.fields)
    source = _source(written(Statement(text, {**shapes.params, "level": level})))
    return Question(source, columns, "text" if visible else "", "fid")


def _source(table: str) -> dict[str, str]:
    bounds = numeric_bounds(settings.ONEMAP_SRID)
    return {
        "type": "postgis",
        "table": table,
        "geometry_field": "geom",
        "srid": str(settings.ONEMAP_SRID),
        "extent": ",".join(f"{side:.10g}" for side in bounds),
        "initial_size": "1",
        "max_size": "1",
        "connect_timeout": "4",
    }


def written(statement: Statement) -> str:
    """A statement with its values written into the text."""
    linked = connected()
    with linked.cursor() as cursor:
        values = {name: _safe(value) for name, value in statement.params.items()}
        text: bytes = cursor.mogrify(statement.text.as_string(linked), values)
        return text.decode()


def _safe(value: Any) -> Any:
    if isinstance(value, str) and SPECIAL.search(value):
        return AsIs(_unicode_literal(value))
    if isinstance(value, list):
        return [_safe(one) for one in value]
    if isinstance(value, Mapping):
        raise TypeError(value)
    return value


def _unicode_literal(value: str) -> str:
    """A text as U&'…': quotes doubled; backslash, `!` and `@` by their code points."""
    doubled = value.replace("'", "''")
    return "U&'" + re.sub(r"[\\!@]", lambda found: f"\\{ord(found[0]):04X}", doubled) + "'"
