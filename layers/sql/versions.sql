-- The versions of one feature, oldest first, each with the change that made it.
--
-- Takes     {rows}: the rights-bound rows of the feature, past and present; layer.
-- Returns   version, rev_from, rev_to, time, author, reason, properties, geometry, valid_from, valid_to.
-- Cost      index probes.

SELECT r.version, r.rev_from, r.rev_to, change.at, change.author, change.reason, ({properties})::text,
       ST_AsGeoJSON(ST_Transform(r.geom, 4326), 8, 0), {period}
  FROM {rows} AS r
  LEFT JOIN layers_change AS change ON change.layer_id = %(layer)s AND change.revision = r.rev_from
 ORDER BY r.rev_from, 9
