import { get as getProjection, transform } from 'ol/proj';
import { register } from 'ol/proj/proj4';
import proj4 from 'proj4';

import type { Box, CrsInfo, Geometry, Position } from '@onemap/core';
import { zoneDefinition } from './zones';

/** CGCS2000 and WGS 84 differ by less than a screen can show; this one is for reading longitude and latitude. */
export const GEOGRAPHIC = 'EPSG:4490';

const BUILT_IN = new Set(['EPSG:4326', 'EPSG:3857']);

/**
 * Make the server's coordinate systems known to the map.
 *
 * `+axis=neu` in a definition tells OpenLayers the order for requests; coordinates here stay [east, north].
 */
export function registerCrs(table: CrsInfo[]): void {
  // WGS 84 and Web Mercator are built in and must keep their own definitions.
  const own = table.filter(({ code }) => !BUILT_IN.has(code));
  for (const crs of own) proj4.defs(crs.code, crs.proj4);
  if (!proj4.defs(GEOGRAPHIC)) proj4.defs(GEOGRAPHIC, '+proj=longlat +ellps=GRS80 +axis=neu +no_defs');
  register(proj4);
  for (const crs of own) getProjection(crs.code)?.setExtent(crs.extent);
}

export function toLonLat(position: Position, crs: string): Position {
  return transform(position, crs, GEOGRAPHIC) as Position;
}

export function fromLonLat(position: Position, crs: string): Position {
  return transform(position, GEOGRAPHIC, crs) as Position;
}

/** Grow a box by a share of its size, for views with some air around. */
export function grow(box: Box, share: number): Box {
  const dx = (box[2] - box[0]) * share;
  const dy = (box[3] - box[1]) * share;
  return [box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy];
}

/** Points along each side of a box that is carried over: its sides are bent in the other system. */
const STEPS = 8;

/** A box of a file's own coordinates as a GeoJSON polygon in longitude and latitude; null where the CRS is unknown. */
export function boxPolygon(box: Box, code: string): Geometry | null {
  const definition = zoneDefinition(code);
  if (!proj4.defs(code) && !definition) return null;
  registerCrs([]);
  if (!proj4.defs(code)) proj4.defs(code, definition!);
  register(proj4);
  const [x0, y0, x1, y1] = box;
  const side = (from: Position, to: Position): Position[] =>
    Array.from({ length: STEPS }, (_, step) => [
      from[0] + ((to[0] - from[0]) * step) / STEPS,
      from[1] + ((to[1] - from[1]) * step) / STEPS,
    ]);
  const ring = [...side([x0, y0], [x1, y0]), ...side([x1, y0], [x1, y1]), ...side([x1, y1], [x0, y1]), ...side([x0, y1], [x0, y0])];
  const placed = ring.map((position) => toLonLat(position, code));
  const sound = placed.every((position) => position.every(Number.isFinite));
  return sound ? { type: 'Polygon', coordinates: [[...placed, placed[0]]] } : null;
}
