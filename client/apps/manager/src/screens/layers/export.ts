import type { About, ExportAsked } from '../../api/layerTypes';

export const FORMATS: readonly { suffix: string; name: string; word: string; table: boolean }[] = [
  { suffix: '.gpkg', name: 'GeoPackage (.gpkg)', word: 'export.gpkg', table: true },
  { suffix: '.shp.zip', name: 'Shapefile (.zip)', word: 'export.shp', table: false },
  { suffix: '.geojson', name: 'GeoJSON', word: 'export.geojson', table: false },
  { suffix: '.csv', name: 'CSV', word: 'export.csv', table: true },
  { suffix: '.xlsx', name: 'Excel (.xlsx)', word: 'export.xlsx', table: true },
  { suffix: '.fgb', name: 'FlatGeobuf', word: 'export.fgb', table: false },
  { suffix: '.parquet', name: 'GeoParquet', word: 'export.parquet', table: true },
  { suffix: '.dxf', name: 'DXF (CAD)', word: 'export.dxf', table: false },
];

/** What a layer can be written as: a table has no places. */
export function formatsFor(family: About['family']): typeof FORMATS {
  return family === 'table' ? FORMATS.filter(({ table }) => table) : FORMATS;
}

/** Formats whose text encoding is the reader's to choose. */
export function hasEncoding(suffix: string): boolean {
  return suffix === '.shp.zip' || suffix === '.csv';
}

export interface ExportDraft {
  format: string;
  crs: string;
  encoding: string;
  division: string;
  /** A polygon out of a file, in longitude and latitude; it goes before a division. */
  drawn: AreaShape | null;
  cut: boolean;
}

export interface AreaShape {
  type: 'Polygon' | 'MultiPolygon';
  coordinates: unknown[];
}

interface GeoJson {
  type?: string;
  features?: GeoJson[];
  geometry?: GeoJson | null;
  coordinates?: unknown[];
}

/** The polygons of a GeoJSON text as one area; null when there is none. */
export function areaOf(text: string): AreaShape | null {
  let found: GeoJson;
  try {
    found = JSON.parse(text) as GeoJson;
  } catch {
    return null;
  }
  const shapes = (found?.features ?? [found]).map((one) => one?.geometry ?? one);
  const parts = shapes.flatMap((one) => (one?.type === 'Polygon' ? [one.coordinates] : one?.type === 'MultiPolygon' ? (one.coordinates ?? []) : []));
  return parts.length ? { type: 'MultiPolygon', coordinates: parts } : null;
}

export function askedOf(draft: ExportDraft): ExportAsked {
  const division = draft.division.trim();
  return {
    format: draft.format,
    crs: draft.crs || null,
    encoding: hasEncoding(draft.format) ? draft.encoding : 'utf-8',
    area: draft.drawn ?? (division ? { division } : null),
    cut: (draft.drawn !== null || division !== '') && draft.cut,
  };
}
