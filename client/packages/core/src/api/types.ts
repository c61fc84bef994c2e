import type { DrawnStyle } from './styles';

export type * from './styles';

/** Shapes of the JSON API. Coordinates are [easting, northing] in metres of the named CRS unless said otherwise. */

export type Position = [number, number];
/** [xmin, ymin, xmax, ymax], easting before northing. */
export type Box = [number, number, number, number];
export type Secrecy = 'public' | 'internal' | 'sensitive';
export type Action = 'view' | 'query' | 'download' | 'edit' | 'publish' | 'admin';
/** A table has no geometry, no tiles and no place on the map. */
export type GeometryKind = 'point' | 'line' | 'polygon' | 'table';

export interface Department {
  code: string;
  name_zh: string;
  name_en: string;
}

export interface Session {
  user: { username: string } | null;
  display_name: string;
  department: Department | null;
  roles: string[];
  clearance: Secrecy;
  csrf_token: string;
}

export interface CrsInfo {
  code: string;
  proj4: string;
  name_zh: string;
  name_en: string;
  /** Range of the CRS in its own units, [xmin, ymin, xmax, ymax]. */
  extent: Box;
}

export interface GridInfo {
  identifier: string;
  crs: string;
  /** Upper left corner [easting, northing], metres. */
  origin: Position;
  /** Side of the square at level 0, metres. */
  size: number;
  levels: number;
  /** Side of a vector tile on screen, CSS pixels. */
  tile_px: number;
}

export interface MapInfo {
  title_zh: string;
  title_en: string;
  city: { name_zh: string; name_en: string };
  crs: CrsInfo[];
  grid: GridInfo;
  view: { center: Position; extent: Box };
  demo: boolean;
}

export interface FieldInfo {
  name: string;
  alias_zh: string;
  alias_en: string;
  type: string;
  unit: string | null;
}

export interface ThemeInfo {
  code: string;
  title_zh: string;
  title_en: string;
  order: number;
}

export interface LayerInfo {
  name: string;
  title_zh: string;
  title_en: string;
  theme: ThemeInfo;
  geometry: GeometryKind;
  actions: Action[];
  revision: number;
  count: number | null;
  extent: Box | null;
  /** First level of each tile matrix set that has tiles; absent or null means all levels. */
  first_level: Record<string, number | null>;
  /** Whether tiles below the first level show overviews: small features merged, nothing else left out. */
  overview?: boolean;
  label_field: string | null;
  fields: FieldInfo[];
  style: DrawnStyle;
  secrecy: Secrecy;
  valid_time: boolean;
  updated_at: string | null;
  /** Of a drawn layer; a table has none. */
  tiles: string;
  visible: boolean;
  order: number;
}

export type PropertyValue = string | number | boolean | null | object;
export type Properties = Record<string, PropertyValue>;

export interface Geometry {
  type: string;
  coordinates?: unknown;
  geometries?: Geometry[];
}

export interface Hit {
  layer: string;
  fid: number;
  version: number;
  properties: Properties;
  /** In the CRS asked for, easting before northing. */
  geometry: Geometry | null;
  /** Metres from the point asked about. */
  distance: number;
}

/** A feature of OGC API Features in its default CRS84: longitude before latitude, degrees. */
export interface Item {
  type: 'Feature';
  id: number | string;
  properties: Properties;
  geometry: Geometry | null;
}

export interface ItemPage {
  features: Item[];
  numberReturned: number;
  numberMatched?: number;
  links?: { rel: string; href: string; type?: string }[];
}

/** RFC 9457 problem details as the server sends them. */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  code: string;
  detail?: string;
  facts?: Record<string, unknown>;
  request_id?: string;
}
