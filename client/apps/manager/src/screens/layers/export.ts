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
  cut: boolean;
}

export function askedOf(draft: ExportDraft): ExportAsked {
  const division = draft.division.trim();
  return {
    format: draft.format,
    crs: draft.crs || null,
    encoding: hasEncoding(draft.format) ? draft.encoding : 'utf-8',
    area: division ? { division } : null,
    cut: division !== '' && draft.cut,
  };
}
