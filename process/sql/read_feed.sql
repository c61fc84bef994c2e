-- The next rows of a feed.
--
-- Takes     {table}, {columns} (identifiers), xid and id (the place reached), limit.
-- Returns   xid (as text) and the columns, ordered by (xid, id).
-- Promises  only rows of transactions older than every open one: nothing commits behind them later.
-- Cost      one range of the index (xid, id).

SELECT feed.xid::text, {columns}
  FROM {table} AS feed
 WHERE (feed.xid, feed.id) > (%(xid)s::xid8, %(id)s::bigint)
   AND feed.xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY feed.xid, feed.id
 LIMIT %(limit)s
