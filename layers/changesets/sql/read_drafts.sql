-- The rows of a changeset in one layer.
--
-- Takes     changeset, layer; fids: those of some features only (null: all).
-- Returns   the facts of layers.changesets.content.Draft, in the order of fid and period.
-- Cost      one index range.

SELECT fid, period, op, version, base_version, base_revision, ST_AsBinary(geom), valid_from, valid_to,
       content::text, split_from, merged_into
  FROM layers_changesetfeature
 WHERE changeset_id = %(changeset)s AND layer_id = %(layer)s
   AND (%(fids)s::bigint[] IS NULL OR fid = ANY(%(fids)s::bigint[]))
 ORDER BY fid, period
