-- Keep what a comparison found, so that a person can look at it before it is accepted.
--
-- Takes     import_plan, import_conflict; {plan}: the table to make; {named}: the names of the fields whose values
--           differ, an array; {area_live}, {area_staged}: square metres on the plane of the storage CRS, null where
--           features have no area; {current}: which periods count as live; day.
-- Promises  one row per feature that would be inserted, updated or removed: n (order to page by: updates, removals,
--           insertions, each in the order of the file or of the fid), op, row, fid, version (of the feature as it was
--           compared), fields, moved (its geometry differs), area_before, area_after, conflict, base. A row of the
--           file that would bring back a corrected feature bears that feature's fid.
-- Cost      one pass over the plan, index probes for what differs, one sort of it.

CREATE UNLOGGED TABLE {plan} AS
SELECT row_number() OVER (ORDER BY plan.op = 'insert', plan.op = 'gone', plan."row", plan.fid) AS n,
       plan.op, plan."row", coalesce(plan.fid, conflict.fid) AS fid, live.version,
       CASE WHEN plan.op = 'update' THEN {named} ELSE '{{}}' END AS fields,
       plan.op = 'update' AND NOT {same_shape} AS moved,
       {area_live} AS area_before, {area_staged} AS area_after, conflict.conflict, conflict.base
  FROM import_plan AS plan
  LEFT JOIN {staged} AS staged ON staged."row" = plan."row"
  LEFT JOIN {table} AS live ON live.fid = plan.fid AND {current}
  LEFT JOIN import_conflict AS conflict
         ON conflict.op = plan.op AND CASE WHEN plan.op = 'gone' THEN conflict.fid = plan.fid
                                           ELSE conflict."row" = plan."row" END
 WHERE plan.op <> 'same';
CREATE UNIQUE INDEX ON {plan} (op, n);
CREATE INDEX ON {plan} (n) WHERE conflict IS NOT NULL;
ANALYZE {plan}
