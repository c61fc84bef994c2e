-- The overviews of a layer of polygons in some blocks (layers/overviews, the rule).
--
-- Takes     what overview_base.sql takes; layer.
-- Promises  features as wide as a cell stand for themselves, simplified by half a pixel, valid; of the others each
--           cell makes one square: the whole cell where they cover half of it, else as large as they are together but
--           half a pixel at least, in the class that covers most. The squares of a block and class are one row.
-- Cost      proportional to the features of the blocks, times the levels.

{base}, kept AS (
    SELECT level, block, fid, version, class, size, ST_SimplifyPreserveTopology(geom, pixel / 2) AS geom
      FROM base JOIN level ON size >= cell
), by_class AS (
    SELECT level, block, cell, pixel, floor((x - {x}) / cell) AS col, floor(({y} - y) / cell) AS line, class,
           count(*) AS number, sum(size * size) AS area, sum(size * size * x) AS along, sum(size * size * y) AS up,
           min(ST_XMin(geom)) AS x0, min(ST_YMin(geom)) AS y0, max(ST_XMax(geom)) AS x1, max(ST_YMax(geom)) AS y1
      FROM base JOIN level ON size < cell
     GROUP BY level, block, cell, pixel, col, line, class
), winner AS (
    SELECT DISTINCT ON (level, block, col, line) level, block, cell, col, line, class,
           sum(number) OVER spot AS number, sum(area) OVER spot AS area,
           sum(along) OVER spot / sum(area) OVER spot AS x, sum(up) OVER spot / sum(area) OVER spot AS y,
           least(cell, CASE WHEN sum(area) OVER spot >= cell * cell / 2 THEN cell
                            ELSE greatest(sqrt(sum(area) OVER spot), pixel / 2) END) / 2 AS half,
           min(x0) OVER spot AS x0, min(y0) OVER spot AS y0, max(x1) OVER spot AS x1, max(y1) OVER spot AS y1
      FROM by_class
    WINDOW spot AS (PARTITION BY level, block, col, line)
     ORDER BY level, block, col, line, by_class.area DESC, class
), placed AS (
    SELECT level, block, class, number, area, half, x0, y0, x1, y1,
           greatest({x} + col * cell + half, least({x} + (col + 1) * cell - half, x)) AS x,
           greatest({y} - (line + 1) * cell + half, least({y} - line * cell - half, y)) AS y
      FROM winner
), merged AS (
    SELECT level, block, class, sum(number) AS number, sqrt(sum(area)) AS weight,
           ST_MakeEnvelope(min(x0), min(y0), max(x1), max(y1), {srid}) AS reach,
           ST_Union(ST_MakeEnvelope(x - half, y - half, x + half, y + half, {srid})) AS geom
      FROM placed GROUP BY level, block, class
)
INSERT INTO overview.shape (layer, level, block, fid, version, class, number, weight, reach, geom)
SELECT %(layer)s, level, block, fid, version, class, 1, size, NULL,
       CASE WHEN ST_IsValid(geom) THEN geom ELSE ST_CollectionExtract(ST_MakeValid(geom), 3) END
  FROM kept
UNION ALL
SELECT %(layer)s, level, block, NULL, NULL, class, number, weight, reach, geom FROM merged
