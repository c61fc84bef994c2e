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


class Floor:
    """As many processes as cores, each with one connection."""

    def __init__(self, dsn):
        self.helpers = [Helper("bare_sql", dsn) for _ in range(os.cpu_count() or 1)]

    def seconds(self, statement, tiles):
        """Seconds per tile when the processes share the tiles evenly."""
        shares = [tiles[start :: len(self.helpers)] for start in range(len(self.helpers))]
        for helper, share in zip(self.helpers, shares, strict=True):
            helper.send({"statement": statement, "tiles": share})
        return max(helper.receive()["seconds"] for helper in self.helpers) / len(tiles)

    def close(self):
        for helper in self.helpers:
            helper.close()


def main(dsn):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()

    def run(question):
        began = time.perf_counter()
        for z, x, y in question["tiles"]:
            cursor.execute(question["statement"], {"z": z, "x": x, "y": y})
            bytes(cursor.fetchone()[0] or b"")
        return {"seconds": time.perf_counter() - began}

    answers(run)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
