-- Take out of a staging table the rows that repeat a key, or have none; the first row of the file keeps it.
--
-- Takes     {staged}; {number}: its row number column; {key}: the key's column; {taken}: whether the layer itself
--           has the key already.
-- Returns   number and key of the rows taken out.
-- Cost      one sort of the staged rows by key.

DELETE FROM {staged}
 WHERE {key} IS NULL
    OR {taken}
    OR {number} IN (SELECT {number}
                      FROM (SELECT {number}, row_number() OVER (PARTITION BY {key} ORDER BY {number}) AS twin
                              FROM {staged}) AS numbered
                     WHERE twin > 1)
RETURNING {number}, {key}::text
