-- One page of a kept comparison: each feature as it is, as it was delivered last, and as it is delivered now.
--
-- Takes     {plan}, {staged}, {table}, {history}; {chosen}: which rows of the plan; {key}: text of the key;
--           {live_row}, {staged_row}, {was_row}: the values of the fields; {current}; after, most, day.
-- Returns   n, op, row, fid, key, fields, moved, area_before, area_after, conflict; the values now, delivered, and as
--           last delivered (conflicts only), each an object whose values are in the order of the fields; the places
--           now, delivered, and as last delivered as GeoJSON (longitude, latitude on CGCS2000, 8 digits).
-- Cost      index probes by row of the page.

SELECT page.n, page.op, page."row", page.fid, {key}, page.fields, page.moved, page.area_before, page.area_after,
       page.conflict,
       CASE WHEN live.fid IS NOT NULL THEN to_json({live_row}) END,
       CASE WHEN staged."row" IS NOT NULL THEN to_json({staged_row}) END,
       CASE WHEN was.there THEN to_json({was_row}) END,
       ST_AsGeoJSON(ST_Transform(live.geom, 4490), 8, 0)::json,
       ST_AsGeoJSON(ST_Transform(staged.geom, 4490), 8, 0)::json,
       ST_AsGeoJSON(ST_Transform(was.geom, 4490), 8, 0)::json
  FROM (SELECT * FROM {plan} AS plan WHERE plan.n > %(after)s AND {chosen} ORDER BY plan.n LIMIT %(most)s) AS page
  LEFT JOIN {staged} AS staged ON staged."row" = page."row"
  LEFT JOIN LATERAL (SELECT * FROM {table} AS live WHERE live.fid = page.fid AND {current}) AS live ON true
  LEFT JOIN LATERAL (
        SELECT true AS there, {base_columns} FROM {table} AS live
         WHERE live.fid = page.fid AND live.rev_from <= page.base AND {current}
        UNION ALL
        SELECT true, {base_columns} FROM {history} AS live
         WHERE live.fid = page.fid AND live.rev_from <= page.base AND live.rev_to > page.base AND {current}
         LIMIT 1) AS was ON page.conflict IS NOT NULL
 ORDER BY page.n
