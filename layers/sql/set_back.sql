-- Make the chosen features what they were at a revision, as the next revision of the layer.
--
-- Takes     {chosen}: a SELECT of fid; at (the revision to go back to), layer, kind, author, reason.
--           The caller holds the layer alone.
-- Returns   revision, time, the fids touched (null when nothing differs).
-- Promises  rows that have not changed since `at` stay as they are; the layer's extent covers what comes back.
-- Cost      index probes on fid and rev_to; one pass over the chosen features.

SELECT id FROM layers_layer WHERE id = %(layer)s FOR NO KEY UPDATE;

UPDATE layers_layer
   SET revision = revision + 1,
       changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond')
 WHERE id = %(layer)s;

INSERT INTO layers_change (layer_id, revision, at, kind, author, reason, inserted, updated, deleted)
SELECT id, revision, changed_at, %(kind)s, %(author)s, %(reason)s, 0, 0, 0
  FROM layers_layer WHERE id = %(layer)s;

WITH change AS (
    SELECT id, revision FROM layers_change
     WHERE layer_id = %(layer)s AND revision = (SELECT revision FROM layers_layer WHERE id = %(layer)s)
), now AS (
    SELECT fid, ST_Extent(geom) AS box FROM {table} WHERE fid IN ({chosen}) AND rev_from > %(at)s GROUP BY fid
), past AS (
    SELECT fid, ST_Extent(geom) AS box FROM {history}
     WHERE fid IN ({chosen}) AND rev_from <= %(at)s AND rev_to > %(at)s GROUP BY fid
), touched AS (
    SELECT fid, EXISTS (SELECT 1 FROM {table} AS live WHERE live.fid = both_times.fid) AS is_now,
           was OR EXISTS (SELECT 1 FROM {table} AS live WHERE live.fid = both_times.fid AND rev_from <= %(at)s) AS will_be,
           ST_Extent(ST_SetSRID(first_box::geometry, 0)) AS first_box,
           ST_Extent(ST_SetSRID(second_box::geometry, 0)) AS second_box
      FROM (SELECT fid, past.fid IS NOT NULL AS was, coalesce(now.box, past.box) AS first_box,
                   coalesce(past.box, now.box) AS second_box
              FROM now FULL JOIN past USING (fid)) AS both_times
     GROUP BY fid, was
)
INSERT INTO layers_changefeature (change_id, fid, op, bbox)
SELECT change.id, fid,
       CASE WHEN is_now AND will_be THEN 'update' WHEN will_be THEN 'insert' ELSE 'delete' END,
       CASE WHEN first_box IS NOT NULL THEN
       ARRAY[least(ST_XMin(first_box), ST_XMin(second_box)), least(ST_YMin(first_box), ST_YMin(second_box)),
             greatest(ST_XMax(first_box), ST_XMax(second_box)), greatest(ST_YMax(first_box), ST_YMax(second_box))]
       END
  FROM touched, change;

INSERT INTO {history} ({columns}, rev_to)
SELECT {columns}, (SELECT revision FROM layers_layer WHERE id = %(layer)s)
  FROM {table} WHERE fid IN ({chosen}) AND rev_from > %(at)s;

DELETE FROM {table}
 WHERE rev_from > %(at)s
   AND fid IN (SELECT fid FROM layers_changefeature WHERE change_id =
               (SELECT id FROM layers_change WHERE layer_id = %(layer)s
                   AND revision = (SELECT revision FROM layers_layer WHERE id = %(layer)s)));

INSERT INTO {table} ({kept}, version, rev_from)
SELECT {kept},
       (SELECT max(version) + 1 FROM {history} AS every WHERE every.fid = old.fid),
       (SELECT revision FROM layers_layer WHERE id = %(layer)s)
  FROM {history} AS old
 WHERE old.rev_from <= %(at)s AND old.rev_to > %(at)s
   AND old.fid IN (SELECT fid FROM layers_changefeature WHERE change_id =
                   (SELECT id FROM layers_change WHERE layer_id = %(layer)s
                       AND revision = (SELECT revision FROM layers_layer WHERE id = %(layer)s)));

WITH counts AS (
    SELECT change_id, count(*) FILTER (WHERE op = 'insert') AS inserted,
           count(*) FILTER (WHERE op = 'update') AS updated, count(*) FILTER (WHERE op = 'delete') AS deleted,
           CASE WHEN count(bbox) > 0
                THEN ARRAY[min(bbox[1]), min(bbox[2]), max(bbox[3]), max(bbox[4])] END AS box
      FROM layers_changefeature
     WHERE change_id = (SELECT id FROM layers_change WHERE layer_id = %(layer)s
                           AND revision = (SELECT revision FROM layers_layer WHERE id = %(layer)s))
     GROUP BY change_id
), counted AS (
    UPDATE layers_change SET inserted = counts.inserted, updated = counts.updated, deleted = counts.deleted
      FROM counts WHERE id = counts.change_id
)
UPDATE layers_layer
   SET feature_count = feature_count + counts.inserted - counts.deleted,
       extent = CASE WHEN extent IS NULL OR counts.box IS NULL THEN coalesce(extent, counts.box)
                     ELSE ARRAY[least(extent[1], counts.box[1]), least(extent[2], counts.box[2]),
                                greatest(extent[3], counts.box[3]), greatest(extent[4], counts.box[4])] END
  FROM counts WHERE layers_layer.id = %(layer)s;

SELECT layer.revision, layer.changed_at,
       (SELECT array_agg(fid ORDER BY fid) FROM layers_changefeature WHERE change_id = change.id)
  FROM layers_layer AS layer
  JOIN layers_change AS change ON change.layer_id = layer.id AND change.revision = layer.revision
 WHERE layer.id = %(layer)s
