-- One vector tile of a layer's overviews.
--
-- Takes     the boxes of vector_tile.sql; level: of the overviews; budget: bytes; {above}: in which order shapes are drawn; label: how large a shape must be to
--           be labelled, in its weight; {spots}: what the scope may see there, from overview_spots.sql where the level is coarser
--           than all overviews; {class_}, {column}: the class field under its name.
-- Returns   the tile; how many features, merged shapes, features in these, and shapes left out there are; the
--           overviews' revision and stamp; the layer's revision and the microsecond of its last change, the catalogue's version. No row when the layer has no
--           overviews of this level.
-- Promises  the largest shapes first until the budget is spent, counted at the bytes they take at least.
-- Cost      proportional to the shapes in the box.

WITH frame AS MATERIALIZED (SELECT {envelope} AS tile),
box AS MATERIALIZED (SELECT tile, {search} AS search FROM frame),
there AS MATERIALIZED (
    SELECT shape.*, sum({feature} + {vertex} * ST_NPoints(shape.geom)) OVER (ORDER BY weight DESC, fid, number) AS bytes
      FROM {spots} AS shape
),
cut AS MATERIALIZED (
    SELECT fid AS onemap_fid, CASE WHEN fid IS NULL THEN number END AS onemap_count, number, weight, text{class_},
           ST_AsMVTGeom({shape}, box.tile, {extent}, {buffer}, true) AS onemap_geom
      FROM there AS r, box WHERE bytes <= %(budget)s
     ORDER BY fid IS NOT NULL, {above} OFFSET 0
)
SELECT (SELECT ST_AsMVT(drawn, {name}, {extent}, 'onemap_geom', 'onemap_fid')
          FROM (SELECT onemap_fid, onemap_count, onemap_geom{column} FROM cut WHERE onemap_geom IS NOT NULL) AS drawn)
       || coalesce((
           SELECT ST_AsMVT(spots, 'label', {extent}, 'spot', 'onemap_fid')
             FROM (SELECT onemap_fid, text, ST_AsMVTGeom(point, box.tile, {extent}, 0, true) AS spot
                     FROM (SELECT r.fid AS onemap_fid, r.text, {point} AS point
                             FROM there AS r WHERE r.text <> '' AND r.fid IS NOT NULL AND r.weight >= %(label)s
                            ORDER BY r.weight DESC LIMIT {labels}) AS named, box
                    WHERE ST_X(point) >= ST_XMin(box.tile) AND ST_X(point) < ST_XMax(box.tile)
                      AND ST_Y(point) >= ST_YMin(box.tile) AND ST_Y(point) < ST_YMax(box.tile) OFFSET 0) AS spots
            WHERE spot IS NOT NULL), ''),
       told.features, told.pieces, told.merged, told.missing,
       state.revision, state.stamp, layer.revision,
       coalesce((extract(epoch FROM layer.changed_at) * 1000000)::bigint, 0), (SELECT version FROM layers_cataloguestate)
  FROM layers_layer AS layer JOIN layers_overview AS state ON state.layer_id = layer.id,
       (SELECT count(fid) FILTER (WHERE bytes <= %(budget)s) AS features,
               count(*) FILTER (WHERE fid IS NULL AND bytes <= %(budget)s) AS pieces,
               coalesce(sum(number) FILTER (WHERE fid IS NULL AND bytes <= %(budget)s), 0)::bigint AS merged,
               count(*) FILTER (WHERE bytes > %(budget)s) AS missing FROM there) AS told
 WHERE layer.id = {layer} AND layer.deleted_at IS NULL AND state.levels ? (%(level)s::int)::text
