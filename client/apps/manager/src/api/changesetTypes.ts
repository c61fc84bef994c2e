import type { Department, FieldInfo, Geometry, PropertyValue } from '@onemap/core';

export type ChangesetState = 'private' | 'shared' | 'submitted' | 'approved' | 'published' | 'returned' | 'withdrawn' | 'abandoned';
/** The steps that somebody may be offered. */
export type StepName = 'share' | 'unshare' | 'submit' | 'withdraw' | 'return' | 'approve' | 'publish' | 'abandon' | 'revert';

/** A layer that a changeset touches; counts are null for a caller of one area. */
export interface TouchedLayer {
  name: string;
  title_zh: string;
  title_en: string;
  inserted: number | null;
  updated: number | null;
  deleted: number | null;
  /** That publication made. */
  revision: number | null;
}

export interface ChangesetLine {
  id: number;
  title: string;
  state: ChangesetState;
  shared: boolean;
  owner: string;
  department: Department | null;
  mine: boolean;
  /** Grows with every change of the content. */
  counter: number;
  created_at: string;
  changed_at: string;
  layers: TouchedLayer[];
}

export interface LoggedStep {
  step: string;
  state: ChangesetState;
  counter: number;
  by: string;
  at: string;
  reason: string;
}

export interface Changeset extends ChangesetLine {
  about: string;
  steps: StepName[];
  /** The caller may change its content now. */
  editable: boolean;
  editors: string[];
  approved_by: string;
  approved_counter: number | null;
  submitted_at: string | null;
  published_at: string | null;
  /** The changeset that this one takes back. */
  reverts: number | null;
  log: LoggedStep[];
}

export interface NewChangeset {
  title: string;
  about: string;
  shared: boolean;
}

export type ChangeOp = 'insert' | 'update' | 'delete';

/** A feature before or after: longitude and latitude; square metres on the ellipsoid. */
export interface ChangeSide {
  properties: Record<string, PropertyValue>;
  geometry: Geometry | null;
  area: number | null;
  valid_to: string | null;
}

export interface Difference {
  layer: string;
  fid: number;
  period: string | null;
  op: ChangeOp;
  author: string;
  at: string;
  split_from: number | null;
  merged_into: number | null;
  version: number;
  base_version: number | null;
  before: ChangeSide | null;
  after: ChangeSide | null;
  reshaped: boolean;
  fields: { name: string; before: PropertyValue; after: PropertyValue }[];
}

/** Features and square metres on the ellipsoid, as far as the caller sees the layer. */
export interface Ledger {
  layer: string;
  inserted: number;
  updated: number;
  deleted: number;
  area_before: number;
  area_after: number;
}

export interface ChangesPage {
  counter: number;
  changes: Difference[];
  /** Of the first page alone. */
  ledger: Ledger[];
  next: string | null;
}

export type ConflictKind = 'field' | 'geometry' | 'period' | 'deleted-there' | 'deleted-here' | 'inserted-there' | 'overlap';

/** A part that both sides changed; its values are the field's, or geometries in longitude and latitude. */
export interface ConflictPart {
  kind: ConflictKind;
  part: string;
  base: PropertyValue;
  ours: PropertyValue;
  theirs: PropertyValue;
}

export interface ConflictOf {
  layer: string;
  fid: number;
  period: string | null;
  version: number;
  base_version: number | null;
  /** On the one map now; null where it is gone there. */
  current_version: number | null;
  /** One of the versions lies beyond the caller's rights: no values are told. */
  hidden: boolean;
  parts: ConflictPart[];
}

export interface Conflicts {
  counter: number;
  conflicts: ConflictOf[];
  total: number;
}

export interface Decision {
  layer: string;
  fid: number;
  period: string | null;
  version: number | null;
  part: string;
  take: 'ours' | 'theirs' | 'other';
  value?: PropertyValue;
}

export interface DraftEdit {
  op: 'update' | 'delete';
  fid: number;
  version: number;
  properties?: Record<string, PropertyValue>;
  /** The day from which it holds, in a layer with valid time. */
  since?: string;
}

/** A field of the catalogue; one with a code list says what may be chosen: code, Chinese, English. */
export interface DraftField extends FieldInfo {
  code_list?: string;
  codes?: [string, string, string][];
}

/** A feature as the map with the changeset shows it. */
export interface DraftFeature {
  version: number;
  properties: Record<string, PropertyValue>;
  geometry: Geometry | null;
}
