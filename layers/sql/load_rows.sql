-- Carry out import_plan on a layer without valid time.
--
-- Takes     revision: the one this load will have; the caller holds the layer alone.
-- Promises  what changes or ends is archived first; unchanged features are not touched.
-- Cost      proportional to what differs, and one pass over the plan.

INSERT INTO {history} ({all_columns}, rev_to)
SELECT {live_columns}, %(revision)s FROM {table} AS live JOIN import_plan AS plan USING (fid)
 WHERE plan.op IN ('update', 'gone');

DELETE FROM {table} AS live USING import_plan AS plan WHERE plan.op = 'gone' AND live.fid = plan.fid;

UPDATE {table} AS live
   SET version = live.version + 1, rev_from = %(revision)s, {assignments}
  FROM import_plan AS plan JOIN {staged} AS staged USING ("row")
 WHERE plan.op = 'update' AND live.fid = plan.fid;

INSERT INTO {table} (rev_from, {columns})
SELECT %(revision)s, {staged_columns}
  FROM {staged} AS staged JOIN import_plan AS plan USING ("row")
 WHERE plan.op = 'insert' ORDER BY staged."row"
