-- Write one prepared batch of feature versions as the next revision of a layer.
--
-- Takes     rows (JSON list: op insert|update|delete, fid, period (the valid_from of the row as it was), the new
--           columns; geom as hex EWKB in the storage CRS), layer, kind, author, reason, the counts, and the box
--           of all that is new. The caller has locked every row named here, in fid order, and judged it.
-- Returns   revision, time.
-- Promises  the layer's row is locked by the first statement and only writing statements follow, so that commit
--           order equals revision order and times never run backwards. The lock comes before the UPDATE because
--           an UPDATE reads the clock before it waits for its row: a question as of that moment would be missed.
-- Cost      one index probe per row and table.

SELECT id FROM layers_layer WHERE id = %(layer)s FOR NO KEY UPDATE;

UPDATE layers_layer
   SET revision = revision + 1,
       changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond'),
       feature_count = feature_count + %(delta)s,
       extent = CASE WHEN %(extent)s::double precision[] IS NULL THEN extent
                     WHEN extent IS NULL THEN %(extent)s::double precision[]
                     ELSE ARRAY[least(extent[1], (%(extent)s::double precision[])[1]),
                                least(extent[2], (%(extent)s::double precision[])[2]),
                                greatest(extent[3], (%(extent)s::double precision[])[3]),
                                greatest(extent[4], (%(extent)s::double precision[])[4])] END
 WHERE id = %(layer)s;

INSERT INTO {history} ({columns}, rev_to)
SELECT {old_columns}, (SELECT revision FROM layers_layer WHERE id = %(layer)s)
  FROM {table} AS old
  JOIN jsonb_to_recordset(%(rows)s::jsonb) AS given(op text, fid bigint, period date)
    ON given.op <> 'insert' AND old.fid = given.fid AND {same_period};

DELETE FROM {table} AS old
 USING jsonb_to_recordset(%(rows)s::jsonb) AS given(op text, fid bigint, period date)
 WHERE given.op = 'delete' AND old.fid = given.fid AND {same_period};

UPDATE {table} AS old
   SET version = old.version + 1, rev_from = (SELECT revision FROM layers_layer WHERE id = %(layer)s), {assignments}
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS given({record})
 WHERE given.op = 'update' AND old.fid = given.fid AND {same_period};

INSERT INTO {table} (fid, version, rev_from, {value_columns})
SELECT given.fid, given.version, (SELECT revision FROM layers_layer WHERE id = %(layer)s), {values}
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS given({record})
 WHERE given.op = 'insert';

INSERT INTO layers_change (layer_id, revision, at, kind, author, reason, inserted, updated, deleted)
SELECT id, revision, changed_at, %(kind)s, %(author)s, %(reason)s, %(inserted)s, %(updated)s, %(deleted)s
  FROM layers_layer WHERE id = %(layer)s;

INSERT INTO layers_changefeature (change_id, fid, op, bbox)
SELECT change.id, touched.fid, touched.op, touched.bbox
  FROM jsonb_to_recordset(%(touched)s::jsonb) AS touched(fid bigint, op text, bbox double precision[])
  JOIN layers_change AS change ON change.layer_id = %(layer)s
   AND change.revision = (SELECT revision FROM layers_layer WHERE id = %(layer)s);

SELECT revision, changed_at FROM layers_layer WHERE id = %(layer)s
