-- Add all staged rows as new features to a layer without valid time.
--
-- Takes     revision: the one this load will have; the caller holds the layer alone.
-- Promises  fids in the order of the file: the staging table is read from its beginning, as it was written.
-- Cost      proportional to the staged rows; no sort, no join.

SET LOCAL synchronize_seqscans = off;

INSERT INTO {table} (rev_from, {columns}) SELECT %(revision)s, {staged_columns} FROM {staged} AS staged
