-- The features of one layer at a place, nearest first.
--
-- Takes     {relation}: rights-bound rows within the tolerance; x, y (storage CRS) in {spot}.
-- Returns   fid, version, JSON of the fields, GeoJSON geometry, distance in metres.
-- Cost      one index probe.

SELECT r.fid, r.version, ({properties})::text, ST_AsGeoJSON({shape}, {digits}, 0), ST_Distance(r.geom, {spot})
  FROM {relation} AS r
 ORDER BY 5, 1
 LIMIT {most}
