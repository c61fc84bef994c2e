-- A department and every department below it.
--
-- Takes     department (id).
-- Returns   rows of accounts_department, nearest first, then by code.
-- Cost      one index range per department of the subtree.

WITH RECURSIVE tree (id, depth) AS (
    SELECT id, 0 FROM accounts_department WHERE id = %(department)s
    UNION
    SELECT below.id, tree.depth + 1
      FROM tree
      JOIN accounts_department AS below ON below.parent_id = tree.id
     WHERE tree.depth < 64
)
SELECT department.*
  FROM (SELECT id, min(depth) AS depth FROM tree GROUP BY id) AS nearest
  JOIN accounts_department AS department USING (id)
 ORDER BY nearest.depth, department.code
