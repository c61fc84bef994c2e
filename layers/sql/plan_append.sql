-- Every staged row is a new feature.
--
-- Promises  import_plan(row, fid, op, started): fid null, op 'insert'.
-- Cost      one pass over the staged rows.

CREATE TEMP TABLE import_plan ON COMMIT DROP AS
SELECT staged."row", NULL::bigint AS fid, 'insert'::text AS op, false AS started FROM {staged} AS staged
