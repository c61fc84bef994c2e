-- Carry out import_plan on a layer with valid time, as of a day.
--
-- Takes     revision, day; the caller holds the layer alone.
-- Promises  a changed feature gets a new period from that day on and its old one ends there (a period that began
--           on that very day is corrected); a feature that is gone ends on that day; what was valid before stays.
--           The new period's version is above those its editors may have read: theirs is told as stale.
-- Cost      proportional to what differs, and one pass over the plan.

INSERT INTO {history} ({all_columns}, rev_to)
SELECT {live_columns}, %(revision)s FROM {table} AS live JOIN import_plan AS plan USING (fid)
 WHERE plan.op IN ('update', 'gone') AND {current};

CREATE TEMP TABLE import_ended ON COMMIT DROP AS
SELECT live.fid, live.valid_to, plan."row"
  FROM {table} AS live JOIN import_plan AS plan USING (fid)
 WHERE plan.op = 'update' AND NOT plan.started AND {current};

UPDATE {table} AS live
   SET version = live.version + 1, rev_from = %(revision)s, {assignments}
  FROM import_plan AS plan JOIN {staged} AS staged USING ("row")
 WHERE plan.op = 'update' AND plan.started AND live.fid = plan.fid AND {current};

DELETE FROM {table} AS live USING import_plan AS plan
 WHERE plan.op = 'gone' AND plan.started AND live.fid = plan.fid AND {current};

UPDATE {table} AS live
   SET version = live.version + 1, rev_from = %(revision)s, valid_to = %(day)s
  FROM import_plan AS plan
 WHERE plan.op IN ('update', 'gone') AND NOT plan.started AND live.fid = plan.fid AND {current};

INSERT INTO {table} (fid, version, rev_from, valid_from, valid_to, {columns})
SELECT ended.fid, (SELECT max(version) FROM {table} AS every WHERE every.fid = ended.fid),
       %(revision)s, %(day)s, ended.valid_to, {staged_columns}
  FROM import_ended AS ended JOIN {staged} AS staged USING ("row");

INSERT INTO {table} (rev_from, valid_from, {columns})
SELECT %(revision)s, %(day)s, {staged_columns}
  FROM {staged} AS staged JOIN import_plan AS plan USING ("row")
 WHERE plan.op = 'insert' ORDER BY staged."row";

DROP TABLE import_ended
