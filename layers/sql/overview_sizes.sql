-- What the overviews' cells are chosen by: where every feature lies, how large it is, of how many points.
--
-- Takes     {class}, {size}, {valid}, {table} as overview_base.sql; day.
-- Promises  the temporary table overview_size, gone at the end of the transaction.
-- Cost      one pass over the table.

DROP TABLE IF EXISTS overview_size;

CREATE TEMPORARY TABLE overview_size ON COMMIT DROP AS
SELECT (ST_XMin(geom) + ST_XMax(geom)) / 2 AS x, (ST_YMin(geom) + ST_YMax(geom)) / 2 AS y, {size} AS size,
       ST_NPoints(geom) AS points
  FROM {table} WHERE {valid}
