-- One vector tile of a layer.
--
-- Takes     x0, y0, x1, y1: the tile's box in the grid's CRS; s0, t0, s1, t1: the box to search, as far as the
--           storage CRS can hold it, in the same CRS; z: the level. {relation}: the rights-bound rows; {columns}:
--           their fields; {lowest}: the grid's lowest level.
-- Returns   the tile (null when nothing is in it), the layer's revision and the microsecond of its last change, the
--           catalogue's version, whether the layer
--           is published at this level (if not, no tile is made); no row when the layer is gone.
-- Cost      one index scan of the box; the boxes are computed once (MATERIALIZED): written into the join they
--           are computed per row and the tile takes four times as long. OFFSET 0 keeps the test for null out of the
--           rows' own query, where every geometry would be made a second time for it.

WITH frame AS MATERIALIZED (SELECT {envelope} AS tile),
box AS MATERIALIZED (SELECT tile, {search} AS search FROM frame),
cut AS (
    SELECT r.fid AS onemap_fid,
           ST_AsMVTGeom({shape}, box.tile, {extent}, {buffer}, true) AS onemap_geom{columns}
      FROM {relation} AS r, box
    OFFSET 0
)
SELECT CASE WHEN shown.published
            THEN (SELECT ST_AsMVT(cut, {name}, {extent}, 'onemap_geom', 'onemap_fid') FROM cut
                   WHERE onemap_geom IS NOT NULL){labels} END,
       shown.revision, shown.changed, (SELECT version FROM layers_cataloguestate), shown.published
  FROM (SELECT revision, coalesce((extract(epoch FROM changed_at) * 1000000)::bigint, 0) AS changed,
               coalesce((first_levels ->> {grid})::int, {lowest}) <= %(z)s AS published
          FROM layers_layer WHERE id = {layer}) AS shown
