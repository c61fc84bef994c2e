"""How far a layer is, and whether a place of it changed since: by what kept pictures are judged."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from psycopg2 import sql

from layers import queries
from layers.catalogue import LayerInfo
from layers.queries import Statement

_STATE = """
SELECT layer.revision, coalesce((extract(epoch FROM layer.changed_at) * 1000000)::bigint, 0),
       coalesce((layer.first_levels ->> 'CityGrid')::int, 0),
       overview.revision, (extract(epoch FROM overview.built_at) * 1000000)::bigint
  FROM layers_layer AS layer LEFT JOIN layers_overview AS overview ON overview.layer_id = layer.id
 WHERE layer.id = %s
"""


@dataclass(frozen=True, slots=True)
class LayerState:
    """Where a layer and its overviews stand.

    `changed` and `built` are microseconds: of the last change, and of when the overviews were last made as a whole
    (None without any).
    """

    revision: int
    changed: int
    first_level: int  # of CityGrid
    shown: int | None  # the revision that the overviews show
    built: int | None


def state_of(layer: LayerInfo) -> LayerState:
    """The state now."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [layer.id])
        return LayerState(*cursor.fetchone())


def touched(layer: LayerInfo, after: int, upto: int, known: int | None, box: bytes) -> bool:
    """Whether a place changed after one revision, up to another.

    Parameters
    ----------
    known
        Microsecond at which `after` became the layer's revision, as it was remembered; None: not checked.
    box
        WKB in the storage CRS.
    """
    text = sql.SQL(queries.load_sql(queries.SQL, "touched")).format(
        table=queries.table(layer), history=queries.history(layer), srid=sql.Literal(settings.ONEMAP_SRID)
    )
    bound = {"layer": layer.id, "after": after, "upto": upto, "known": known, "box": box}
    return bool(queries.rows(Statement(text, bound))[0][0])
