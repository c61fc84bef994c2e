-- By what a layer's tiles of one level are true.
--
-- Takes     z; {layer}; {grid}, {lowest}: the grid's name and lowest level.
-- Returns   the layer's revision and the microsecond of its last change, whether the level is published, the first level
--           of CityGrid, the overviews' stamp (null without), the catalogue's version; no row when the layer is gone.
-- Cost      three probes by key.

SELECT layer.revision, coalesce((extract(epoch FROM layer.changed_at) * 1000000)::bigint, 0),
       coalesce((layer.first_levels ->> {grid})::int, {lowest}) <= %(z)s,
       coalesce((layer.first_levels ->> 'CityGrid')::int, 0), overview.stamp,
       (SELECT version FROM layers_cataloguestate)
  FROM layers_layer AS layer LEFT JOIN layers_overview AS overview ON overview.layer_id = layer.id
 WHERE layer.id = {layer}
