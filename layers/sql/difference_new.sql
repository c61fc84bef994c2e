-- One page of the rows that make a new layer: every one is an insertion.
--
-- Takes     {staged}; {number}: the number of a row; {key}: text of the key; {staged_row}: the values of the fields; {area_staged}; after, most.
-- Returns   number, key, values in the order of the fields, area, place as GeoJSON (longitude, latitude, 8 digits).
-- Cost      index probes where the table is indexed, else one pass.

SELECT staged.{number}, {key}, to_json({staged_row}), {area_staged},
       ST_AsGeoJSON(ST_Transform(staged.geom, 4490), 8, 0)::json
  FROM {staged} AS staged
 WHERE staged.{number} > %(after)s
 ORDER BY staged.{number}
 LIMIT %(most)s
