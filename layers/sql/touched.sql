-- Whether a place of a layer changed between two revisions.
--
-- Takes     layer: its id; after, upto: revisions; known: microsecond at which `after` became so, null if not known;
--           box: WKB, storage CRS; {table}, {history}.
-- Returns   one row: true where a version was written or ended whose box meets the box, or where revision `after` is not
--           the one that is known (a restored database counts again from an earlier one).
-- Cost      two index scans, of the revisions or of the place, whichever the planner takes to be fewer.

SELECT EXISTS (SELECT 1 FROM {table} WHERE rev_from > %(after)s AND rev_from <= %(upto)s
                  AND geom && ST_GeomFromWKB(%(box)s, {srid}))
    OR EXISTS (SELECT 1 FROM {history} WHERE rev_to > %(after)s AND rev_to <= %(upto)s
                  AND geom && ST_GeomFromWKB(%(box)s, {srid}))
    OR %(known)s::bigint IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM layers_change WHERE layer_id = %(layer)s AND revision = %(after)s
              AND (extract(epoch FROM at) * 1000000)::bigint = %(known)s)
