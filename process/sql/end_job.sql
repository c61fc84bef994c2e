-- End a running job, if it is still ours.
--
-- Takes     space, job, attempt, state, result (JSON text or NULL), reason.
-- Returns   one row; none when the job is not running, is at another attempt, or when this very connection does
--           not hold the job's advisory lock (it was cut and opened anew).
-- Cost      one primary key probe, one reading of the lock table.

UPDATE process_job AS job
   SET state = %(state)s,
       result = %(result)s::jsonb,
       reason = %(reason)s,
       progress = CASE WHEN %(state)s = 'done' THEN 1 ELSE progress END,
       finished_at = clock_timestamp()
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
RETURNING id
