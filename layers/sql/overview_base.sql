-- The features of some blocks, as the overviews need them; the beginning of the three overview_*.sql statements.
--
-- Takes     blocks, west, south, east, north: the blocks and their boxes; levels, cells, pixels: of each level the
--           side of a cell and of a pixel, metres; day: the day on which features with valid time are shown;
--           {x}, {y}, {side}, {last}: origin, side and last index of the blocks; {class}: the field that the layer's
--           style draws by, as text; {size}: of a feature, metres; {valid}: what holds of features shown on `day`.
-- Promises  a feature is in one block alone: the one with the middle of its box.
-- Cost      one index probe per block, with the features whose boxes reach into it.

WITH block AS (
    SELECT * FROM unnest(%(blocks)s::int[], %(west)s::float8[], %(south)s::float8[], %(east)s::float8[],
                         %(north)s::float8[]) AS given(block, west, south, east, north)
), level AS (
    SELECT * FROM unnest(%(levels)s::int[], %(cells)s::float8[], %(pixels)s::float8[]) AS given(level, cell, pixel)
), base AS MATERIALIZED (
    SELECT block, fid, version, geom, class, size, x, y
      FROM block, LATERAL (
           SELECT fid, version, geom, {class} AS class, {size} AS size,
                  (ST_XMin(geom) + ST_XMax(geom)) / 2 AS x, (ST_YMin(geom) + ST_YMax(geom)) / 2 AS y
             FROM {table}
            WHERE geom && ST_MakeEnvelope(west, south, east, north, {srid}) AND {valid} OFFSET 0) AS feature
     WHERE least({last}, greatest(0, floor((x - {x}) / {side})))::int
           + least({last}, greatest(0, floor(({y} - y) / {side})))::int * ({last} + 1) = block
)
