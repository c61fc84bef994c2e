-- Take rows out of a changeset.
--
-- Takes     changeset, layer; keys: JSON list of fid and period.
-- Cost      one index probe per key.

DELETE FROM layers_changesetfeature AS held
 USING jsonb_to_recordset(%(keys)s::jsonb) AS given(fid bigint, period date)
 WHERE held.changeset_id = %(changeset)s AND held.layer_id = %(layer)s
   AND held.fid = given.fid AND held.period IS NOT DISTINCT FROM given.period
