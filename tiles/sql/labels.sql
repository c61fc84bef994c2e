-- The `label` layer of a tile, to be appended to the features: one point per labelled feature.
--
-- Takes     the same boxes as vector_tile.sql, in whose SELECT it stands.
-- Promises  a half-open test gives each point to one tile only.
-- Cost      OFFSET 0: without it the point is made anew for each of the four tests.

 || coalesce((
    SELECT ST_AsMVT(spots, 'label', {extent}, 'spot', 'onemap_fid')
      FROM (SELECT onemap_fid, text, ST_AsMVTGeom(point, box.tile, {extent}, 0, true) AS spot
              FROM (SELECT r.fid AS onemap_fid, r.{column}::text AS text, {point} AS point
                      FROM {relation} AS r OFFSET 0) AS named, box
             WHERE text <> ''
               AND ST_X(point) >= ST_XMin(box.tile) AND ST_X(point) < ST_XMax(box.tile)
               AND ST_Y(point) >= ST_YMin(box.tile) AND ST_Y(point) < ST_YMax(box.tile) OFFSET 0) AS spots
     WHERE spot IS NOT NULL), '')
