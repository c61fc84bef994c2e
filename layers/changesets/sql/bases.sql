-- The versions from which the changed features of a changeset started.
--
-- Takes     changeset, layer, fids; {columns} of a row called was; {same_period}.
-- Returns   a row per changed feature and period whose start is known.
-- Cost      index probes on fid in the layer and in its past.

SELECT {columns}
  FROM layers_changesetfeature AS changed
  JOIN {table} AS was ON was.fid = changed.fid AND was.rev_from = changed.base_revision AND {same_period}
 WHERE changed.changeset_id = %(changeset)s AND changed.layer_id = %(layer)s
   AND changed.fid = ANY(%(fids)s::bigint[])
UNION ALL
SELECT {columns}
  FROM layers_changesetfeature AS changed
  JOIN {history} AS was ON was.fid = changed.fid AND was.rev_from = changed.base_revision AND {same_period}
 WHERE changed.changeset_id = %(changeset)s AND changed.layer_id = %(layer)s
   AND changed.fid = ANY(%(fids)s::bigint[])
