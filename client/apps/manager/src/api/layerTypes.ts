import type { Action, Box, Department, Secrecy, ThemeInfo } from '@onemap/core';

import type { PartReport } from './types';

/** What lists of layers and of rasters have in common. */
export interface RasterLine {
  name: string;
  title_zh: string;
  title_en: string;
  theme: ThemeInfo;
  department: Department;
  secrecy: Secrecy;
  actions: Action[];
  revision: number;
  updated_at: string | null;
  update_days?: number | null;
}

export interface AboutField {
  name: string;
  alias_zh: string;
  alias_en: string;
  type: string;
  unit: string | null;
  required: boolean;
  minimum: number | null;
  maximum: number | null;
  max_length: number | null;
  /** `code@edition`. */
  code_list: string | null;
}

export interface LineageStep {
  at: string;
  revision: number;
  mode: string;
  source_name: string;
  sha256: string;
  driver: string;
  source_crs: string;
  encoding: string;
  report: PartReport & Record<string, unknown>;
}

export interface MetadataDocument {
  [part: string]: string | string[];
}

export interface MetadataLine {
  number: number;
  state: 'draft' | 'approved' | 'replaced';
  /** Of the layer, when this was approved or written. */
  revision: number;
  written_by: string;
  written_at: string;
  approved_by: string;
  approved_at: string | null;
}

export interface MetadataVersion extends MetadataLine {
  document: MetadataDocument;
}

/** What the data say themselves. */
export interface Automatic {
  crs: { code: string; name_zh: string; name_en: string } | null;
  /** West, south, east, north: longitude and latitude. */
  extent: Box | null;
  quality: { at: string; revision: number; checked: number; open: Record<string, number> } | null;
  services: { kind: string; url: string }[];
}

export interface Metadata {
  approved: MetadataVersion | null;
  draft: MetadataVersion | null;
  versions: MetadataLine[];
  automatic: Automatic;
  /** A record to begin with. */
  begun: MetadataDocument;
  topics: string[];
}

export interface About {
  name: string;
  title_zh: string;
  title_en: string;
  abstract_zh: string;
  abstract_en: string;
  theme: { code: string; title_zh: string; title_en: string };
  department: Department;
  family: 'point' | 'line' | 'polygon' | 'table' | 'raster';
  secrecy: Secrecy;
  actions: Action[];
  /** Only a part of the layer is the caller's: counts, extent and lineage are not told. */
  limited: boolean;
  key_field: string | null;
  label_field: string | null;
  joins: { layer: string; field: string } | null;
  fields: AboutField[];
  revision: number;
  changed_at: string | null;
  update_days: number | null;
  valid_time: boolean;
  counts: { features: number | null };
  extent: Box | null;
  lineage: LineageStep[];
  metadata: Metadata;
}

export interface Grant {
  id: number;
  /** `department:CODE`, `role:R`, `user:U` or `public`. */
  to: string;
  to_name: string;
  to_name_en: string;
  actions: Action[];
  fields: string[] | null;
  area_label: string | null;
  until: string | null;
  ended: boolean;
  created_by: string;
  created_at: string;
  on: 'layer' | 'theme' | 'all';
}

export interface GivenGrant {
  to: string;
  actions: Action[];
  fields: string[] | null;
  area: { division: string } | null;
  /** The last day, `2026-12-31`. */
  until: string | null;
}

export interface AccessRow {
  to: string;
  to_name: string;
  to_name_en: string;
  actions: Action[];
  limits: { grant: number; actions: Action[]; fields: string[] | null; area_label: string | null; until: string | null; on: Grant['on'] }[];
  /** null for the public. */
  people: number | null;
  closed_by_secrecy: boolean;
}

export interface Access {
  rows: AccessRow[];
  departments: (Department & { people: number })[];
  people: number;
}

export interface Explained {
  to: string;
  actions: { action: Action; allowed: boolean; zh: string[]; en: string[] }[];
}

export interface Revision {
  revision: number;
  at: string;
  kind: string;
  author: string | null;
  reason: string | null;
  counts: Record<'inserted' | 'updated' | 'deleted', number | null>;
}

export interface RevisionPage {
  revisions: Revision[];
  next: number | null;
}

export interface ShelvedLayer {
  name: string;
  title_zh: string;
  title_en: string;
  family: About['family'];
  deleted_at: string;
  department: Department;
  deleted_by: string | null;
  until: string;
}

export interface ExportAsked {
  format: string;
  crs: string | null;
  encoding: string;
  area: { division: string } | { type: string; coordinates: unknown[] } | null;
  cut: boolean;
}

export interface ExportJob {
  job: number;
  layer: string;
  format: string;
  state: string;
  step: string;
  progress: number;
  reason: string;
  name: string | null;
  size: number | null;
  features: number | null;
  kept_until: string | null;
  file: string | null;
}
