-- The area ledger of a changeset in one layer: how many features and how much ground, before and after.
--
-- Takes     changeset, changeset_layer; {older}, {newer}: rights-bound rows from which it started and that it puts in;
--           {older_period}, {newer_period}: the first day of the period, null in layers without valid time.
-- Returns   features inserted, updated, deleted that the caller sees; square metres on the ellipsoid before, after.
-- Cost      a probe per changed feature and side, and one geodesic area each. Both sides are put together by grouping: a
--           join is planned by what is known of the drafts, and nothing is known of those put in a minute ago.

WITH page AS MATERIALIZED (
    SELECT fid, period, op, base_revision FROM layers_changesetfeature
     WHERE changeset_id = %(changeset)s AND layer_id = %(changeset_layer)s
), sides AS (
    SELECT fid, period, op, 0 AS seen, 0.0 AS before, 0.0 AS after FROM page
     UNION ALL
    SELECT o.fid, {older_period}, NULL, 1, ST_Area(ST_Transform(o.geom, 4490)::geography), 0 FROM {older} AS o
     UNION ALL
    SELECT n.fid, {newer_period}, NULL, 1, 0, ST_Area(ST_Transform(n.geom, 4490)::geography) FROM {newer} AS n
), changed AS (
    SELECT max(op) AS op, sum(before) AS before, sum(after) AS after
      FROM sides GROUP BY fid, period HAVING max(op) IS NOT NULL AND sum(seen) > 0
)
SELECT count(*) FILTER (WHERE op = 'insert'), count(*) FILTER (WHERE op = 'update'),
       count(*) FILTER (WHERE op = 'delete'), coalesce(sum(before), 0), coalesce(sum(after), 0)
  FROM changed
