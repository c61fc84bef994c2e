-- Features whose last period has ended and that nothing follows.
--
-- Takes     {features} (a relation of a layer with valid time, at no particular day); today.
-- Returns   how many, and their first hundred fids.
-- Cost      one pass over the features.

SELECT count(*), coalesce((array_agg(fid ORDER BY fid))[1:100], '{{}}')
  FROM (SELECT fid FROM {features} AS feature
         GROUP BY fid
        HAVING max(coalesce(valid_to, 'infinity')) <= %(today)s) AS ended
