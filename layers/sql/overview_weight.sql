-- How heavy the fullest tile of one level would be with cells of one size.
--
-- Takes     overview_size; tile, cell, pixel: sides, metres; feature, vertex, spot: bytes of a feature, of a vertex
--           and of a cell; least: the size from which a feature stands for itself.
-- Returns   bytes.
-- Cost      one pass over overview_size.

SELECT coalesce(max(weight), 0) FROM (
    SELECT sum(weight) AS weight
      FROM (SELECT floor((x - {x}) / %(tile)s) AS col, floor(({y} - y) / %(tile)s) AS line,
                   sum(%(feature)s + %(vertex)s * least(points, 4 + size / %(pixel)s)) AS weight
              FROM overview_size WHERE size >= %(least)s GROUP BY 1, 2
            UNION ALL
            SELECT floor((cx + 0.5) * %(cell)s / %(tile)s), floor((cy + 0.5) * %(cell)s / %(tile)s), %(spot)s * count(*)
              FROM (SELECT DISTINCT floor((x - {x}) / %(cell)s) AS cx, floor(({y} - y) / %(cell)s) AS cy
                      FROM overview_size WHERE size < %(least)s) AS cells GROUP BY 1, 2) AS parts
     GROUP BY col, line) AS tiles
