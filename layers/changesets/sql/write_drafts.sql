-- Put rows into a changeset, each in the place of the one of the same feature and period.
--
-- Takes     changeset, layer, author, at; rows: JSON list, geom as hex EWKB in the storage CRS.
-- Promises  nothing of the one map is read or locked.
-- Cost      one index probe per row.

INSERT INTO layers_changesetfeature (changeset_id, layer_id, fid, period, op, version, base_version, base_revision,
       geom, content, valid_from, valid_to, split_from, merged_into, author, at)
SELECT %(changeset)s, %(layer)s, fid, period, op, version, base_version, base_revision,
       geom::geometry, content, valid_from, valid_to, split_from, merged_into, %(author)s, %(at)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(fid bigint, period date, op text, version integer,
       base_version integer, base_revision bigint, geom text, content jsonb, valid_from date, valid_to date,
       split_from bigint, merged_into bigint)
ON CONFLICT (changeset_id, layer_id, fid, period) DO UPDATE
   SET op = excluded.op, version = excluded.version, base_version = excluded.base_version,
       base_revision = excluded.base_revision, geom = excluded.geom, content = excluded.content,
       valid_from = excluded.valid_from, valid_to = excluded.valid_to,
       split_from = coalesce(excluded.split_from, layers_changesetfeature.split_from),
       merged_into = coalesce(excluded.merged_into, layers_changesetfeature.merged_into),
       author = excluded.author, at = excluded.at
