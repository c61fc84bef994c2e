-- Which staged row is which feature, without a key: by equal geometry and attributes. Twins are paired in order.
--
-- Takes     {current}: which periods count as live; {gone}: whether features that the file does not name end.
-- Promises  import_plan(row, fid, op, started): op is insert, same or gone.
-- Cost      one hash join of staged and live rows on a digest of each row.

CREATE TEMP TABLE import_plan ON COMMIT DROP AS
WITH new AS (
    SELECT "row", digest, row_number() OVER (PARTITION BY digest ORDER BY "row") AS twin
      FROM (SELECT staged."row", md5(ROW(staged.geom::text, {staged_row})::text) AS digest FROM {staged} AS staged) AS s
), old AS (
    SELECT fid, started, digest, row_number() OVER (PARTITION BY digest ORDER BY fid) AS twin
      FROM (SELECT live.fid, {started} AS started, md5(ROW(live.geom::text, {live_row})::text) AS digest
              FROM {table} AS live WHERE {current}) AS l
)
SELECT new."row", old.fid,
       CASE WHEN new."row" IS NULL THEN 'gone' WHEN old.fid IS NULL THEN 'insert' ELSE 'same' END AS op, old.started
  FROM new FULL JOIN old USING (digest, twin)
 WHERE new."row" IS NOT NULL OR {gone};
CREATE INDEX ON import_plan ("row");
ANALYZE import_plan
