-- Note in which cells of the city's grid a bulk load changed something.
--
-- Takes     layer, revision; side (metres), x, y (top left corner) and last (index) of the cells.
-- Promises  one row per cell that the box of a version written or ended by this revision touches; none of a row
--           without geometry.
-- Cost      index probes on rev_from and rev_to; proportional to what changed. Features that cover the same cells
--           are put together before the cells are counted out.

INSERT INTO layers_changecell (change_id, "column", "row")
SELECT DISTINCT change.id, col, line
  FROM (SELECT DISTINCT greatest(0, floor((ST_XMin(geom) - %(x)s) / %(side)s)::int) AS west,
               least(%(last)s, floor((ST_XMax(geom) - %(x)s) / %(side)s)::int) AS east,
               greatest(0, floor((%(y)s - ST_YMax(geom)) / %(side)s)::int) AS north,
               least(%(last)s, floor((%(y)s - ST_YMin(geom)) / %(side)s)::int) AS south
          FROM (SELECT geom FROM {table} WHERE rev_from = %(revision)s
                UNION ALL SELECT geom FROM {history} WHERE rev_to = %(revision)s) AS touched
         WHERE geom IS NOT NULL) AS covered,
       layers_change AS change,
       generate_series(west, east) AS col,
       generate_series(north, south) AS line
 WHERE change.layer_id = %(layer)s AND change.revision = %(revision)s
