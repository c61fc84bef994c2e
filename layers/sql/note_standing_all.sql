-- After rows were only added, every correction stands as before.
--
-- Takes     import_correction; layer.
-- Promises  layers_correction holds them all.
-- Cost      proportional to the corrections.

DELETE FROM layers_correction WHERE layer_id = %(layer)s;

INSERT INTO layers_correction (layer_id, fid, base) SELECT %(layer)s, fid, base FROM import_correction
