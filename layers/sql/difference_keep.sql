-- Corrections stay: take out of import_plan what is in their way.
--
-- Takes     import_plan, import_conflict.
-- Promises  rows of the file that give a corrected feature count as 'same'; features that the file leaves out stay.
-- Cost      proportional to the conflicts, and one pass over the plan.

UPDATE import_plan AS plan SET op = 'same'
  FROM import_conflict AS conflict
 WHERE conflict."row" = plan."row" AND conflict.op IN ('insert', 'update');

DELETE FROM import_plan AS plan USING import_conflict AS conflict
 WHERE conflict.op = 'gone' AND plan.op = 'gone' AND conflict.fid = plan.fid
