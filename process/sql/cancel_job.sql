-- Ask for a job's end: at once while it waits, when it next looks while it runs.
--
-- Takes     job.
-- Returns   the state after; no row when there is no such job.
-- Cost      one primary key probe.

UPDATE process_job
   SET cancel_requested = cancel_requested OR state IN ('queued', 'running'),
       finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() ELSE finished_at END,
       state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
 WHERE id = %(job)s
RETURNING state
