-- Which corrections still stand after a delivery: those kept on purpose, and those that it did not speak of.
--
-- Takes     import_plan, import_correction, import_conflict; layer; kept: whether corrections were kept; partial:
--           whether the delivery speaks only of the features that it names.
-- Promises  layers_correction holds them; what the delivery confirmed or overwrote stands no longer.
-- Cost      proportional to the corrections, and one pass over the plan.

DELETE FROM layers_correction WHERE layer_id = %(layer)s;

INSERT INTO layers_correction (layer_id, fid, base)
SELECT %(layer)s, fid, base FROM import_correction
 WHERE CASE WHEN fid IN (SELECT fid FROM import_conflict) THEN %(kept)s
            ELSE %(partial)s AND fid NOT IN (SELECT plan.fid FROM import_plan AS plan WHERE plan.fid IS NOT NULL) END
