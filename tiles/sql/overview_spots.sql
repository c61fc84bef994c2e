-- The shapes of the coarsest overviews put together for tiles that are coarser still: one per class and half a pixel.
--
-- Takes     half: half a pixel of the tile, metres on the ground; {shapes}: what the scope may see.
-- Returns   the columns of {shapes}.
-- Cost      proportional to the shapes.

(SELECT NULL::bigint AS fid, sum(number) AS number, sum(weight) AS weight, class, NULL::text AS text,
        {spot} AS geom
   FROM (SELECT number, weight, class, floor((ST_XMin(geom) + ST_XMax(geom)) / (2 * %(half)s)) * %(half)s AS x,
                floor((ST_YMin(geom) + ST_YMax(geom)) / (2 * %(half)s)) * %(half)s AS y
           FROM {shapes} AS shape) AS near
  GROUP BY class, x, y)
