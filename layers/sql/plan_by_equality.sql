-- Which staged row is which feature, without a key: by equal geometry and attributes. Twins are paired in order.
--
-- Takes     {current}: which periods count as live; {gone}: whether features that the file does not name end;
--           {live_digest}, {staged_digest}: a digest that is the same for the same shape and values.
-- Promises  import_plan(row, fid, op, started): op is insert, same or gone.
-- Cost      one join of staged and live rows on a digest of each row; putting a polygon's corners in order first
--           costs a tenth of that.

CREATE TEMP TABLE import_plan ON COMMIT DROP AS
WITH new AS (
    SELECT "row", digest, row_number() OVER (PARTITION BY digest ORDER BY "row") AS twin
      FROM (SELECT staged."row", {staged_digest} AS digest FROM {staged} AS staged) AS s
), old AS (
    SELECT fid, started, digest, row_number() OVER (PARTITION BY digest ORDER BY fid) AS twin
      FROM (SELECT live.fid, {started} AS started, {live_digest} AS digest
              FROM {table} AS live WHERE {current}) AS l
)
SELECT new."row", old.fid,
       CASE WHEN new."row" IS NULL THEN 'gone' WHEN old.fid IS NULL THEN 'insert' ELSE 'same' END AS op, old.started
  FROM new FULL JOIN old USING (digest, twin)
 WHERE new."row" IS NOT NULL OR {gone};
CREATE INDEX ON import_plan ("row");
ANALYZE import_plan
