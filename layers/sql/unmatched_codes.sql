-- The codes of a staged table that no feature of the layer it joins has.
--
-- Takes     {staged}, {column}: the table's rows and the field that joins; {table}, {key}: the layer and its key.
-- Returns   how many rows, and up to ten of their codes in order. Rows without a code count as well, as "".
-- Cost      one hash join of the staged rows and the layer's keys.

SELECT coalesce(sum(rows), 0)::bigint, (array_agg(code ORDER BY code))[1:10]
  FROM (SELECT coalesce(staged.{column}::text, '') AS code, count(*) AS rows
          FROM {staged} AS staged
         WHERE NOT EXISTS (SELECT 1 FROM {table} AS feature WHERE feature.{key}::text = staged.{column}::text)
         GROUP BY 1) AS unmatched
