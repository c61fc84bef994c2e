"""GeoJSON: RFC 7946 in longitude and latitude of WGS 84; other systems carry the older `crs` member.

Dates and times are text, as JSON has no type for them. Whole numbers are written with all digits, but programs read
them exactly only up to 2^53 (RFC 7493, 2.2); identifiers that are longer belong in fields of text.
"""

import json
from pathlib import Path

from psycopg2 import sql

from layers import queries
from layers.exchange.exports.selection import Selection
from layers.ogc.features_api.items import feature_text
from layers.queries import Statement

_PAGE = 2_000


def write(selection: Selection, path: Path) -> int:
    """Write the features with their ids and versions; the number of them."""
    inner = selection.relation()
    text, names = feature_text(selection.scope, selection.crs, "m")
    statement = sql.SQL("SELECT {} FROM {} AS m ORDER BY m.fid").format(text, inner.text)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(_head(selection))
        for rows in queries.streamed(Statement(statement, {**inner.params, **names}), _PAGE):
            file.write(("," if count else "") + ",\n".join(row[0] for row in rows))
            count += len(rows)
            selection.told(count)
        file.write("]}")
    return count


def _head(selection: Selection) -> str:
    name = json.dumps(selection.scope.layer.name)
    crs = ""
    if selection.crs.srid != 4326:
        crs = f'"crs":{{"type":"name","properties":{{"name":"urn:ogc:def:crs:EPSG::{selection.crs.srid}"}}}},'
    return f'{{"type":"FeatureCollection","name":{name},{crs}"features":['
