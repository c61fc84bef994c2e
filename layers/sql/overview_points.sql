-- The overviews of a layer of points in some blocks (layers/overviews, the rule).
--
-- Takes     what overview_base.sql takes; layer.
-- Promises  a point alone in its cell stands for itself; several are one point in their middle, with their number, in
--           the class that most of them have.
-- Cost      proportional to the features of the blocks, times the levels.

{base}, by_class AS (
    SELECT level, block, cell, floor((x - {x}) / cell) AS col, floor(({y} - y) / cell) AS line, class,
           count(*) AS number, sum(x) AS along, sum(y) AS up, min(fid) AS fid, min(version) AS version,
           min(ST_XMin(geom)) AS x0, min(ST_YMin(geom)) AS y0, max(ST_XMax(geom)) AS x1, max(ST_YMax(geom)) AS y1
      FROM base CROSS JOIN level
     GROUP BY level, block, cell, col, line, class
), winner AS (
    SELECT DISTINCT ON (level, block, col, line) level, block, class, fid, version,
           sum(number) OVER spot AS number,
           sum(along) OVER spot / sum(number) OVER spot AS x, sum(up) OVER spot / sum(number) OVER spot AS y,
           min(x0) OVER spot AS x0, min(y0) OVER spot AS y0, max(x1) OVER spot AS x1, max(y1) OVER spot AS y1
      FROM by_class
    WINDOW spot AS (PARTITION BY level, block, col, line)
     ORDER BY level, block, col, line, by_class.number DESC, class
)
INSERT INTO overview.shape (layer, level, block, fid, version, class, number, weight, reach, geom)
SELECT %(layer)s, level, block, CASE WHEN number = 1 THEN fid END, CASE WHEN number = 1 THEN version END, class,
       number, number, CASE WHEN number > 1 THEN ST_MakeEnvelope(x0, y0, x1, y1, {srid}) END,
       ST_SetSRID(ST_MakePoint(x, y), {srid})
  FROM winner
