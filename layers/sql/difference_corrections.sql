-- Which features of a layer stand corrected against its last delivery.
--
-- Takes     layer; delivered: the revision of its last delivery.
-- Promises  import_correction(fid, base): base is the revision at which the feature was as a surveyor last gave it.
--           An empty import_conflict is made beside it.
-- Cost      index probes; proportional to the edits since the last delivery.

CREATE TEMP TABLE import_correction ON COMMIT DROP AS
SELECT fid, min(base) AS base
  FROM (SELECT fid, base FROM layers_correction WHERE layer_id = %(layer)s
        UNION ALL
        SELECT touched.fid, %(delivered)s
          FROM layers_change AS change JOIN layers_changefeature AS touched ON touched.change_id = change.id
         WHERE change.layer_id = %(layer)s AND change.revision > %(delivered)s AND change.kind <> 'import') AS every
 GROUP BY fid;
ANALYZE import_correction;

CREATE TEMP TABLE import_conflict (fid bigint, "row" bigint, op text, conflict text, base bigint) ON COMMIT DROP
