-- The overviews of a layer of lines in some blocks (layers/overviews, the rule).
--
-- Takes     what overview_base.sql takes; layer.
-- Promises  lines as long as a cell stand for themselves, simplified by half a pixel; of the others those of a block
--           and class are joined where they meet, and what is then still shorter than a cell is dropped. The joined
--           lines of a block and class are one row; their number is told by the share of length that is left.
-- Cost      proportional to the features of the blocks, times the levels.

{base}, kept AS (
    SELECT level, block, fid, version, class, size, ST_SimplifyPreserveTopology(geom, pixel / 2) AS geom
      FROM base JOIN level ON size >= cell
), joined AS (
    SELECT level, cell, pixel, block, class, count(*) AS number,
           ST_SetSRID(ST_Extent(geom)::geometry, {srid}) AS reach, ST_LineMerge(ST_Collect(geom)) AS geom
      FROM (SELECT level, cell, pixel, block, class, fid, (ST_Dump(geom)).geom AS geom
              FROM base JOIN level ON size < cell ORDER BY fid) AS short
     GROUP BY level, cell, pixel, block, class
), merged AS (
    SELECT level, block, class, reach, sum(ST_Length(part.geom)) AS weight,
           greatest(1, round(number * sum(ST_Length(part.geom)) / ST_Length(joined.geom))) AS number,
           ST_SimplifyPreserveTopology(ST_Collect(part.geom), max(pixel) / 2) AS geom
      FROM joined, ST_Dump(joined.geom) AS part
     WHERE ST_Length(part.geom) >= cell
     GROUP BY level, block, class, number, reach, joined.geom
)
INSERT INTO overview.shape (layer, level, block, fid, version, class, number, weight, reach, geom)
SELECT %(layer)s, level, block, fid, version, class, 1, size, NULL, geom FROM kept
UNION ALL
SELECT %(layer)s, level, block, NULL, NULL, class, number, weight, reach, geom FROM merged
