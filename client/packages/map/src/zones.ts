/** Definitions of the national zone systems, so that a guess can be shown before the server knows the answer. */

interface Family {
  ellipsoid: string;
  /** First EPSG code of the six-degree zones 13 to 23 with the zone in the easting; null: they are elsewhere. */
  six: number | null;
  /** First EPSG code of the three-degree zones 25 to 45 with the zone in the easting. */
  three: number;
}

const FAMILIES: Family[] = [
  { ellipsoid: '+ellps=GRS80', six: 4491, three: 4513 },
  { ellipsoid: '+a=6378140 +b=6356755.288157528', six: 2327, three: 2349 },
  { ellipsoid: '+ellps=krass', six: null, three: 2401 },
];
const SIX_ZONES = 11;
const THREE_ZONES = 21;

interface Zone {
  meridian: number;
  easting: number;
}

function sixDegrees(offset: number): Zone | null {
  if (offset < 0 || offset >= 2 * SIX_ZONES) return null;
  const zone = 13 + (offset % SIX_ZONES);
  return { meridian: zone * 6 - 3, easting: offset < SIX_ZONES ? zone * 1e6 + 5e5 : 5e5 };
}

function threeDegrees(offset: number): Zone | null {
  if (offset < 0 || offset >= 2 * THREE_ZONES) return null;
  const zone = 25 + (offset % THREE_ZONES);
  return { meridian: zone * 3, easting: offset < THREE_ZONES ? zone * 1e6 + 5e5 : 5e5 };
}

/**
 * A proj4 definition for EPSG codes of the zones of CGCS2000, Xi'an 1980 and Beijing 1954 (EPSG database: eleven zones
 * of six degrees with the zone number in the easting, the same without; then 21 of three degrees likewise). Datum
 * shifts of up to some hundred metres are left out: good enough to see in which town the data would lie.
 */
export function zoneDefinition(code: string): string | null {
  const number = Number(code.replace(/^EPSG:/, ''));
  for (const { ellipsoid, six, three } of FAMILIES) {
    const zone = threeDegrees(number - three) ?? (six === null ? null : sixDegrees(number - six));
    if (zone) return `+proj=tmerc +lat_0=0 +lon_0=${zone.meridian} +k=1 +x_0=${zone.easting} +y_0=0 ${ellipsoid} +units=m +no_defs`;
  }
  return null;
}
