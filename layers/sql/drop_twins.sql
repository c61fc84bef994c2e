-- Take out of a staging table the rows that repeat a key, or have none; the first row of the file keeps it.
--
-- Takes     {staged}; {number}: its row number column; {key}: the key's column; {taken}: whether the layer itself
--           has the key already.
-- Returns   number, key and geometry of the rows taken out.
-- Cost      one sort of the staged rows by key, and one join with the layer's where that has keys. Each condition
--           has a SELECT of its own: under one OR, a set of keys too large for work_mem would be searched row by row.

DELETE FROM {staged} AS twin
 USING (SELECT number
          FROM (SELECT {number} AS number, {key} IS NULL AS missing,
                       row_number() OVER (PARTITION BY {key} ORDER BY {number}) AS place
                  FROM {staged}) AS numbered
         WHERE place > 1 OR missing
        UNION
        SELECT {number} FROM {staged} WHERE {taken}) AS chosen
 WHERE twin.{number} = chosen.number
RETURNING twin.{number}, twin.{key}::text, ST_AsBinary(twin.geom)
