import type { Box } from './api/types';

/**
 * CRS whose definition puts north before east: WGS 84, CGCS2000 and all its Gauss-Kruger zones (EPSG database).
 * OGC requests by URI follow the definition.
 */
export function isNorthFirst(code: string): boolean {
  const number = Number(code.replace(/^EPSG:/, ''));
  return number === 4326 || (number >= 4490 && number <= 4554);
}

export function crsUri(code: string): string {
  return `http://www.opengis.net/def/crs/${code.replace(':', '/0/')}`;
}

/** The bbox of OGC API Features in the axis order of its CRS; inside the client x is always east. */
export function bboxParameters(box: Box, code: string): { bbox: string; 'bbox-crs': string } {
  const [xmin, ymin, xmax, ymax] = box;
  const ordered = isNorthFirst(code) ? [ymin, xmin, ymax, xmax] : [xmin, ymin, xmax, ymax];
  return { bbox: ordered.map((value) => value.toFixed(3)).join(','), 'bbox-crs': crsUri(code) };
}
