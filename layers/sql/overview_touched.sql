-- The blocks of a layer's overviews that changed between two revisions, or by the passing of days.
--
-- Takes     after, upto (revisions); low, high (dates) where the layer has valid time: {turned} is what holds of
--           features whose period began or ended in between; {x}, {y}, {side}, {last} of the blocks.
-- Returns   block, number of the versions written or ended in it.
-- Promises  exact: where each version was, not the box around where a feature was and is.
-- Cost      index probes on rev_from and rev_to, proportional to what changed; with days, one pass over the table.

SELECT least({last}, greatest(0, floor((x - {x}) / {side})))::int
       + least({last}, greatest(0, floor(({y} - y) / {side})))::int * ({last} + 1) AS block, count(*)
  FROM (SELECT (ST_XMin(geom) + ST_XMax(geom)) / 2 AS x, (ST_YMin(geom) + ST_YMax(geom)) / 2 AS y
          FROM (SELECT geom FROM {table} WHERE rev_from > %(after)s AND rev_from <= %(upto)s
                UNION ALL SELECT geom FROM {history} WHERE rev_to > %(after)s AND rev_to <= %(upto)s
                {turned}) AS version) AS spot
 GROUP BY block
