-- Say how far a running job is.
--
-- Takes     job, attempt, step, fraction (0 to 1).
-- Returns   one row; none when that attempt is over.
-- Cost      one primary key probe, one update (step and progress are in no index).

UPDATE process_job
   SET step = %(step)s, progress = %(fraction)s
 WHERE id = %(job)s AND attempts = %(attempt)s AND state = 'running'
RETURNING id
