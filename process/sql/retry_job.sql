-- Put a running job of ours back into the queue, or park it when it has had its tries.
--
-- Takes     space, job, attempt, most (attempts allowed), pause (seconds until the next try), reason, result (JSON
--           text, kept when the job is parked).
-- Returns   the new state; no row when the job is not ours any more.
-- Cost      one primary key probe, one reading of the lock table.

UPDATE process_job AS job
   SET state = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempts < %(most)s THEN 'queued' ELSE 'failed' END,
       reason = %(reason)s,
       result = CASE WHEN attempts >= %(most)s THEN %(result)s::jsonb END,
       not_before = now() + make_interval(secs => %(pause)s),
       finished_at = CASE WHEN cancel_requested OR attempts >= %(most)s THEN clock_timestamp() END
 WHERE id = %(job)s
   AND state = 'running'
   AND attempts = %(attempt)s
   AND EXISTS (
           SELECT
             FROM pg_locks
            WHERE locktype = 'advisory'
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND classid = %(space)s::bigint::oid
              AND objid = %(job)s::bigint::oid
              AND objsubid = 2
              AND pid = pg_backend_pid()
              AND granted
       )
RETURNING state
