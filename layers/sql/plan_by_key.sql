-- Which staged row is which feature, by the layer's key.
--
-- Takes     {key}: the key's column; {current}: which periods count as live; {gone}: whether features that the
--           file does not name end; {same_shape}: whether two geometries are the same; day for layers with valid time.
-- Promises  import_plan(row, fid, op, started): op is insert, update, same or gone; 'started' says that the live
--           period began on the day of the load, so that it is corrected rather than succeeded.
-- Cost      one hash join of staged and live rows.

CREATE TEMP TABLE import_plan ON COMMIT DROP AS
SELECT staged."row", live.fid,
       CASE WHEN staged."row" IS NULL THEN 'gone'
            WHEN live.fid IS NULL THEN 'insert'
            WHEN {same_shape} AND {live_row} IS NOT DISTINCT FROM {staged_row} THEN 'same'
            ELSE 'update' END AS op,
       {started} AS started
  FROM {staged} AS staged
  FULL JOIN (SELECT * FROM {table} AS live WHERE {current}) AS live ON live.{key} = staged.{key}
 WHERE staged."row" IS NOT NULL OR {gone};
CREATE INDEX ON import_plan ("row");
ANALYZE import_plan
