-- Name every feature that a small load changed, as an edit does, with the box of where it was and is.
--
-- Takes     layer, revision.
-- Promises  one row per feature of which a version was written or ended by this revision.
-- Cost      index probes on rev_from and rev_to; proportional to what changed.

INSERT INTO layers_changefeature (change_id, fid, op, bbox)
SELECT change.id, touched.fid,
       CASE WHEN bool_and(touched.written) THEN 'insert' WHEN bool_or(touched.written) THEN 'update' ELSE 'delete' END,
       CASE WHEN count(touched.geom) > 0
            THEN ARRAY[min(ST_XMin(touched.geom)), min(ST_YMin(touched.geom)),
                       max(ST_XMax(touched.geom)), max(ST_YMax(touched.geom))] END
  FROM layers_change AS change,
       (SELECT fid, geom, true AS written FROM {table} WHERE rev_from = %(revision)s
        UNION ALL SELECT fid, geom, false FROM {history} WHERE rev_to = %(revision)s) AS touched
 WHERE change.layer_id = %(layer)s AND change.revision = %(revision)s
 GROUP BY change.id, touched.fid
 ORDER BY touched.fid
