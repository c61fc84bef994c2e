-- Changed features of a changeset in one layer, each as it was and as it would be.
--
-- Takes     changeset, changeset_layer; after_fid, after_period: where the page before ended; op (null: all); most;
--           {older}: rights-bound rows they started from; {newer}: rights-bound rows of the map with the changeset;
--           {older_properties}, {newer_properties}, {older_end}, {newer_end}; {older_period}, {newer_period}: the join by period.
-- Returns   fid, period, op, author, at, split_from, merged_into, version, base_version, base_revision; then of the
--           row as it was and as it would be: properties, GeoJSON (longitude, latitude), square metres on the
--           ellipsoid, last day; nulls where the caller sees no such row.
-- Cost      one index range, and a probe per row and side.

WITH page AS MATERIALIZED (
    SELECT * FROM layers_changesetfeature
     WHERE changeset_id = %(changeset)s AND layer_id = %(changeset_layer)s
       AND (fid, coalesce(period, 'epoch')) > (%(after_fid)s, %(after_period)s::date)
       AND (%(op)s::text IS NULL OR op = %(op)s)
     ORDER BY fid, coalesce(period, 'epoch') LIMIT %(most)s
), older AS MATERIALIZED (SELECT * FROM {older} AS rows),
newer AS MATERIALIZED (SELECT * FROM {newer} AS rows)
SELECT page.fid, page.period, page.op, page.author, page.at, page.split_from, page.merged_into, page.version,
       page.base_version, page.base_revision,
       CASE WHEN o.fid IS NOT NULL THEN ({older_properties})::text END,
       ST_AsGeoJSON(ST_Transform(o.geom, 4326), 8, 0), ST_Area(ST_Transform(o.geom, 4490)::geography), {older_end},
       CASE WHEN n.fid IS NOT NULL THEN ({newer_properties})::text END,
       ST_AsGeoJSON(ST_Transform(n.geom, 4326), 8, 0), ST_Area(ST_Transform(n.geom, 4490)::geography), {newer_end},
       o.geom IS NOT DISTINCT FROM n.geom
  FROM page
  LEFT JOIN older AS o ON o.fid = page.fid{older_period}
  LEFT JOIN newer AS n ON n.fid = page.fid AND page.op <> 'delete'{newer_period}
 ORDER BY page.fid, page.period
