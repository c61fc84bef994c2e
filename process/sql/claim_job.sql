-- Take the job that has waited longest, or one job by its id.
--
-- Takes     space (the first half of the lock's key), job (id, or NULL for any).
-- Returns   id, kind, arguments, attempts (this one counted) and `locked`; no row when nothing waits.
--           The advisory lock belongs to the session, from before the claim can be seen by others. The caller
--           takes the claim back when `locked` is false (someone is just letting go of the job).
-- Cost      one probe of job_waiting, one update.

WITH next AS MATERIALIZED (
    SELECT id
      FROM process_job
     WHERE state = 'queued'
       AND not_before <= now()
       AND (%(job)s::integer IS NULL OR id = %(job)s::integer)
     ORDER BY not_before, id
     LIMIT 1
       FOR UPDATE SKIP LOCKED
), lock AS MATERIALIZED (
    SELECT id, pg_try_advisory_lock(%(space)s, id) AS locked FROM next
)
UPDATE process_job AS job
   SET state = 'running',
       attempts = job.attempts + 1,
       step = '',
       progress = 0,
       reason = '',
       started_at = now()
  FROM lock
 WHERE job.id = lock.id
RETURNING job.id, job.kind, job.arguments, job.attempts, lock.locked
