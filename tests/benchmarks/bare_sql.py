"""The floor: the statement alone, through psycopg2 with autocommit, in one process per core.

The statement is what anyone would write by hand for one table that everybody may see: no rights, no revision.
"""

import os
import sys
import time

import psycopg2

from tests.benchmarks.measure import Helper, answers

MERCATOR = """
WITH frame AS MATERIALIZED (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS tile),
box AS MATERIALIZED (
    SELECT tile, ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 64.0 / 4096), {srid}) AS search FROM frame
),
cut AS (
    SELECT one.fid, ST_AsMVTGeom(ST_Transform(one.geom, 3857), box.tile, 4096, 64, true) AS geom, {columns}
      FROM {table} AS one, box WHERE one.geom && box.search OFFSET 0
)
SELECT ST_AsMVT(cut, 'parcels', 4096, 'geom', 'fid') FROM cut WHERE geom IS NOT NULL
"""
CITY = """
WITH box AS MATERIALIZED (
    SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s, {square}) AS tile,
           ST_TileEnvelope(%(z)s, %(x)s, %(y)s, {square}, margin => 64.0 / 4096) AS search
),
cut AS (
    SELECT one.fid, ST_AsMVTGeom(one.geom, box.tile, 4096, 64, true) AS geom, {columns}
      FROM {table} AS one, box WHERE one.geom && box.search OFFSET 0
)
SELECT ST_AsMVT(cut, 'parcels', 4096, 'geom', 'fid') FROM cut WHERE geom IS NOT NULL
"""

# Features as GeoJSON; what is asked of them follows.
ITEMS = """
SELECT json_build_object('type', 'Feature', 'id', fid, 'geometry', ST_AsGeoJSON(ST_Transform(geom, 4490), 8)::json,
                         'properties', json_build_object({pairs}))::text
  FROM {table} WHERE """


class Floor:
    """As many processes as cores, each with one connection."""

    def __init__(self, dsn):
        self.helpers = [Helper("bare_sql", dsn) for _ in range(os.cpu_count() or 1)]

    def tiles(self, statement, tiles):
        """Seconds per tile when the processes share the tiles evenly."""
        asked = [dict(zip("zxy", one, strict=True)) for one in tiles]
        shares = [asked[start :: len(self.helpers)] for start in range(len(self.helpers))]
        for helper, share in zip(self.helpers, shares, strict=True):
            helper.send({"statements": [[statement, one] for one in share]})
        return max(helper.receive()["seconds"] for helper in self.helpers) / len(tiles)

    def seconds(self, statements):
        """Seconds per statement, one after the other in one process."""
        return self._asked(statements)["seconds"] / len(statements)

    def count(self, statement):
        """How many rows a statement has."""
        return self._asked([statement])["rows"]

    def _asked(self, statements):
        return self.helpers[0].ask({"statements": [[one, None] for one in statements]})

    def close(self):
        for helper in self.helpers:
            helper.close()


def main(dsn):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()

    def run(question):
        began, rows = time.perf_counter(), 0
        for statement, values in question["statements"]:
            cursor.execute(statement, values)
            for (value,) in cursor.fetchall():
                rows += 1
                if isinstance(value, memoryview):
                    bytes(value)
        return {"seconds": time.perf_counter() - began, "rows": rows}

    answers(run)


if __name__ == "__main__":
    main(sys.argv[1])
