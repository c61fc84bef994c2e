-- Where import_plan would overwrite a correction.
--
-- Takes     import_plan, import_correction; {current}: which periods count as live; {returned}: whether a staged row
--           is a feature as the previous delivery left it; {was_live}, {was_staged}: whether shapes are the same; day.
-- Promises  import_conflict(fid, row, op, conflict, base). conflict is 'correction' where the delivery gives (or
--           leaves out) the feature just as the previous one did, 'both' where it was changed on both sides. A row
--           to insert stands for a feature that was deleted on the one map, or whose key or shape was corrected
--           there; fid is that feature's. What was corrected back to what it had been is no conflict.
-- Cost      index probes by corrected feature, and one pass over the rows to insert.

CREATE TEMP TABLE import_base ON COMMIT DROP AS
SELECT correction.fid, correction.base, old.*
  FROM import_correction AS correction
  LEFT JOIN LATERAL (
        SELECT true AS there, {base_columns} FROM {table} AS live
         WHERE live.fid = correction.fid AND live.rev_from <= correction.base AND {current}
        UNION ALL
        SELECT true, {base_columns} FROM {history} AS live
         WHERE live.fid = correction.fid AND live.rev_from <= correction.base AND live.rev_to > correction.base
           AND {current}
         LIMIT 1) AS old ON true;

INSERT INTO import_conflict (fid, "row", op, conflict, base)
SELECT DISTINCT ON (plan."row") was.fid, plan."row", 'insert',
       CASE WHEN {was_staged} AND {was_row} IS NOT DISTINCT FROM {staged_row} THEN 'correction' ELSE 'both' END, was.base
  FROM import_base AS was
  JOIN {staged} AS staged ON {returned}
  JOIN import_plan AS plan ON plan."row" = staged."row" AND plan.op = 'insert'
 WHERE was.there
 ORDER BY plan."row", was.fid;

INSERT INTO import_conflict (fid, "row", op, conflict, base)
SELECT was.fid, plan."row", plan.op,
       CASE WHEN plan.op = 'gone' AND (was.there IS NULL OR EXISTS (
                SELECT 1 FROM import_conflict AS other WHERE other.fid = was.fid AND other.conflict = 'correction'))
              OR plan.op = 'update' AND was.there AND {was_staged} AND {was_row} IS NOT DISTINCT FROM {staged_row}
            THEN 'correction' ELSE 'both' END, was.base
  FROM import_base AS was
  JOIN import_plan AS plan ON plan.fid = was.fid AND plan.op IN ('update', 'gone')
  JOIN {table} AS live ON live.fid = was.fid AND {current}
  LEFT JOIN {staged} AS staged ON staged."row" = plan."row"
 WHERE NOT (was.there IS TRUE AND {was_live} AND {was_row} IS NOT DISTINCT FROM {live_row})
