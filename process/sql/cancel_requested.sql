-- Whether a job's end was asked for.
--
-- Takes     job.
-- Returns   one row when it was, none when it was not.
-- Cost      one primary key probe.

SELECT id FROM process_job WHERE id = %(job)s AND cancel_requested
