"""What is at a place."""

import json
from typing import Any

from psycopg2 import sql

from layers import queries
from layers.moments import Moment
from layers.ogc import axes
from layers.queries import Statement
from layers.rights import Scope
from spatial.crs import Crs


def features_at(
    scope: Scope, moment: Moment, crs: Crs, place: tuple[float, float], tolerance: float, most: int
) -> list[dict[str, Any]]:
    """The features of one layer within a distance of a place, nearest first.

    Parameters
    ----------
    crs
        Of the geometries in the answer, x before y.
    place
        x, y in the storage CRS.
    tolerance
        Metres.
    """
    spot = sql.SQL("ST_SetSRID(ST_MakePoint(%(x)s, %(y)s), {})").format(sql.Literal(axes.STORAGE))
    inner = queries.relation(scope, moment, where=sql.SQL("ST_DWithin(geom, {}, %(tolerance)s)").format(spot))
    properties, names = queries.json_properties(scope.fields, "r")
    shape = sql.SQL("r.geom")
    if crs.srid != axes.STORAGE:
        shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(crs.srid))
    text = sql.SQL(queries.load_sql(queries.SQL, "identify")).format(
        properties=properties,
        shape=shape,
        digits=sql.Literal(axes.DEGREE_DIGITS if crs.geographic else axes.METRE_DIGITS),
        spot=spot,
        relation=inner.text,
        most=sql.Literal(most),
    )
    bound = {**inner.params, **names, "x": place[0], "y": place[1], "tolerance": tolerance}
    return [
        {
            "layer": scope.layer.name,
            "fid": fid,
            "version": version,
            "properties": json.loads(values),
            "geometry": json.loads(geometry),
            "distance": round(distance, 3),
        }
        for fid, version, values, geometry, distance in queries.rows(Statement(text, bound))
    ]
