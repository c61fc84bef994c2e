-- The first level of the city's grid at which no vector tile of a table is too full.
--
-- Takes     x, y: the grid's top left corner; side: of a cell of level high, metres; bytes by feature and vertex;
--           the most features and bytes of a tile; the levels low to high that are asked about.
-- Returns   the level; null when all of them are too full, or the table is empty.
-- Cost      one pass over the table; a feature counts in the cell of its box's middle. Coarser levels are added up
--           from the cells, which are few, not from the features. Places are MATERIALIZED first, or whole geometries
--           would be sorted.

WITH placed AS MATERIALIZED (
    SELECT floor((ST_XMin(geom) + ST_XMax(geom) - 2 * {x}) / (2 * {side}))::int AS col,
           floor((2 * {y} - ST_YMin(geom) - ST_YMax(geom)) / (2 * {side}))::int AS line,
           ST_NPoints(geom) AS vertices
      FROM {table}
), cells AS MATERIALIZED (
    SELECT col, line, count(*) AS features, sum(vertices) AS vertices FROM placed GROUP BY col, line
), tiles AS (
    SELECT level, sum(features) AS features, sum(features * {feature} + vertices * {vertex}) AS weight
      FROM cells, generate_series({low}, {high}) AS level
     GROUP BY level, col >> ({high} - level), line >> ({high} - level)
)
SELECT min(level)
  FROM (SELECT level FROM tiles GROUP BY level HAVING max(features) <= {most} AND max(weight) <= {bytes}) AS fitting
