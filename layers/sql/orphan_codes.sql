-- The values of a field that are no code of its list.
--
-- Takes     {features} (a relation of the layer), {column}; codes: the codes that may be chosen; most.
-- Returns   one row per value, the most frequent first: the value, how many features hold it, their first hundred
--           fids, and a point on the first of them (WKB in the layer's SRID; null without geometry).
-- Cost      one pass over the features, and one probe per value.

WITH orphans AS (
    SELECT {column}::text AS value, count(*) AS holders, (array_agg(fid ORDER BY fid))[1:100] AS fids
      FROM {features} AS feature
     WHERE {column} IS NOT NULL AND NOT {column}::text = ANY(%(codes)s)
     GROUP BY 1
     ORDER BY 2 DESC, 1
     LIMIT %(most)s
)
SELECT orphans.value, orphans.holders, orphans.fids, ST_AsBinary(ST_PointOnSurface(first.geom))
  FROM orphans
  JOIN {features} AS first ON first.fid = orphans.fids[1]
 ORDER BY orphans.holders DESC, orphans.value
