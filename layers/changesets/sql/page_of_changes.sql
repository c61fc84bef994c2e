-- Changed features of a changeset in one layer, each as it was and as it would be.
--
-- Takes     changeset, changeset_layer; after_fid, after_period: where the page before ended; op (null: all); most;
--           {older}: rights-bound rows they started from; {newer}: rights-bound rows of the map with the changeset;
--           {older_properties}, {newer_properties}, {older_end}, {newer_end}; {older_period}, {newer_period}: the join by period.
-- Returns   fid, period, op, author, at, split_from, merged_into, version, base_version, base_revision; then of the
--           row as it was and as it would be: properties, GeoJSON (longitude, latitude), square metres on the
--           ellipsoid, last day; nulls where the caller sees no such row, and in
--           split_from, merged_into where the caller sees neither side of that feature.
-- Cost      one index range, and a probe per row and side.

WITH changed AS MATERIALIZED (
    SELECT * FROM layers_changesetfeature
     WHERE changeset_id = %(changeset)s AND layer_id = %(changeset_layer)s
       AND (fid, coalesce(period, 'epoch')) > (%(after_fid)s, %(after_period)s::date)
       AND (%(op)s::text IS NULL OR op = %(op)s)
     ORDER BY fid, coalesce(period, 'epoch') LIMIT %(most)s
), page AS MATERIALIZED (
    SELECT fid, period, base_revision FROM changed
     UNION
    SELECT kin.fid, held.period, held.base_revision
      FROM (SELECT split_from AS fid FROM changed UNION SELECT merged_into FROM changed) AS kin
      LEFT JOIN layers_changesetfeature AS held
        ON held.fid = kin.fid AND held.changeset_id = %(changeset)s AND held.layer_id = %(changeset_layer)s
     WHERE kin.fid IS NOT NULL
), older AS MATERIALIZED (SELECT * FROM {older} AS rows),
newer AS MATERIALIZED (SELECT * FROM {newer} AS rows),
seen AS MATERIALIZED (SELECT fid FROM older UNION SELECT fid FROM newer)
SELECT changed.fid, changed.period, changed.op, changed.author, changed.at,
       CASE WHEN changed.split_from IN (TABLE seen) THEN changed.split_from END,
       CASE WHEN changed.merged_into IN (TABLE seen) THEN changed.merged_into END,
       changed.version, changed.base_version, changed.base_revision,
       CASE WHEN o.fid IS NOT NULL THEN ({older_properties})::text END,
       ST_AsGeoJSON(ST_Transform(o.geom, 4326), 8, 0), ST_Area(ST_Transform(o.geom, 4490)::geography), {older_end},
       CASE WHEN n.fid IS NOT NULL THEN ({newer_properties})::text END,
       ST_AsGeoJSON(ST_Transform(n.geom, 4326), 8, 0), ST_Area(ST_Transform(n.geom, 4490)::geography), {newer_end},
       o.geom IS NOT DISTINCT FROM n.geom
  FROM changed
  LEFT JOIN older AS o ON o.fid = changed.fid{older_period}
  LEFT JOIN newer AS n ON n.fid = changed.fid AND changed.op <> 'delete'{newer_period}
 ORDER BY changed.fid, changed.period
