-- The shapes of a layer's overviews that a scope may see.
--
-- Takes     level; open_columns: the fields that the scope shows wherever it shows a feature; {where} on geom; {reach}:
--           everything merged lies within the scope's areas; {relation}: the rights-bound rows of the fid in near.
-- Returns   fid, number, weight, class, text, geom.
-- Promises  no merged shape where the field that tells them apart is hidden or limited; no feature that the relation
--           does not show.
-- Cost      one index scan of the place, one probe of the layer's table per single feature.

(WITH state AS MATERIALIZED (
    SELECT class_column, class_column = '' OR class_column = ANY(%(open_columns)s) AS open
      FROM layers_overview WHERE layer_id = {layer}
), near AS MATERIALIZED (
    SELECT shape.fid, shape.version, shape.number, shape.weight, shape.class, shape.geom
      FROM overview.shape AS shape
     WHERE shape.layer = {layer} AND shape.level = %(level)s AND {where}
       AND (shape.fid IS NOT NULL OR ((SELECT open FROM state) AND {reach}))
)
SELECT near.fid, near.number, near.weight, {class_}::{class_type} AS class, {text} AS text, near.geom
  FROM near CROSS JOIN LATERAL {relation} AS r WHERE near.fid IS NOT NULL AND {version}
UNION ALL
SELECT NULL, near.number, near.weight,
       CASE WHEN (SELECT class_column FROM state) = {class_column} THEN near.class::{class_type} END, NULL, near.geom
  FROM near WHERE near.fid IS NULL)
