-- Free the running jobs whose process is gone: back to the queue, or parked after the last try.
--
-- Takes     space, job (id, or NULL for all), most (attempts allowed), pause (seconds until the next try), code and
--           reason (of the parking), handed_back (true: the try does not count, for a worker that was asked to stop).
-- Promises  a job whose advisory lock is held by anyone is left alone. The lock is taken until the commit, so
--           two sweeps never free one job twice.
-- Returns   id, kind and new state of each.
-- Cost      one probe of job_running; a lock try per running job.

WITH running AS MATERIALIZED (
    SELECT id
      FROM process_job
     WHERE state = 'running' AND (%(job)s::integer IS NULL OR id = %(job)s::integer)
       FOR UPDATE SKIP LOCKED
), lost AS MATERIALIZED (
    SELECT id FROM running WHERE pg_try_advisory_xact_lock(%(space)s, id)
), decided AS (
    SELECT job.id,
           CASE WHEN job.cancel_requested THEN 'cancelled'
                WHEN %(handed_back)s OR job.attempts < %(most)s THEN 'queued'
                ELSE 'failed' END AS state
      FROM process_job AS job JOIN lost USING (id)
)
UPDATE process_job AS job
   SET state = decided.state,
       attempts = job.attempts - %(handed_back)s::integer,
       reason = CASE WHEN %(handed_back)s THEN '' ELSE %(reason)s END,
       result = CASE WHEN decided.state = 'failed'
                     THEN jsonb_build_object('status', 'failed', 'code', %(code)s::text, 'reason', %(reason)s::text,
                                             'facts', '{}'::jsonb) END,
       not_before = now() + make_interval(secs => %(pause)s),
       finished_at = CASE WHEN decided.state <> 'queued' THEN clock_timestamp() END
  FROM decided
 WHERE job.id = decided.id
RETURNING job.id, job.kind, job.state
