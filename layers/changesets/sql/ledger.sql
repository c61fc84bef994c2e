-- The area ledger of a changeset in one layer: how many features and how much ground, before and after.
--
-- Takes     changeset, changeset_layer; {older}, {newer}: rights-bound rows, as in page_of_changes.sql.
-- Returns   features inserted, updated, deleted that the caller sees; square metres on the ellipsoid before, after.
-- Cost      a probe per changed feature and side, and one geodesic area each.

WITH page AS MATERIALIZED (
    SELECT fid, period, op, base_revision FROM layers_changesetfeature
     WHERE changeset_id = %(changeset)s AND layer_id = %(changeset_layer)s
), older AS MATERIALIZED (SELECT * FROM {older} AS rows),
newer AS MATERIALIZED (SELECT * FROM {newer} AS rows)
SELECT count(*) FILTER (WHERE changed.op = 'insert'), count(*) FILTER (WHERE changed.op = 'update'),
       count(*) FILTER (WHERE changed.op = 'delete'),
       coalesce(sum(ST_Area(ST_Transform(o.geom, 4490)::geography)), 0),
       coalesce(sum(ST_Area(ST_Transform(n.geom, 4490)::geography)), 0)
  FROM page AS changed
  LEFT JOIN older AS o ON o.fid = changed.fid{older_period}
  LEFT JOIN newer AS n ON n.fid = changed.fid AND changed.op <> 'delete'{newer_period}
 WHERE o.fid IS NOT NULL OR n.fid IS NOT NULL
