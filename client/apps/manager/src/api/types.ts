import type { Department, Geometry, Secrecy } from '@onemap/core';

export type DeliveryState =
  | 'received'
  | 'checking'
  | 'waiting'
  | 'checked'
  | 'accepting'
  | 'accepted'
  | 'refused'
  | 'failed'
  | 'withdrawn';
export type Level = 'block' | 'warn' | 'note';

export interface JobState {
  id: number;
  state: string;
  step: string;
  /** 0 to 1. */
  progress: number;
  reason: string;
}

export interface DeliveryLine {
  id: number;
  name: string;
  department: Department;
  state: DeliveryState;
  sent_by: string;
  sent_at: string;
  parts: number;
  questions: number;
  blocks: number;
  warns: number;
  job: JobState | null;
}

export interface Guess {
  crs: string;
  why: string;
  why_zh: string;
}

export interface Sample {
  encoding: string;
  rows: unknown[];
}

/** Something only a person can say; `pass` is what a command would be given. */
export interface Question {
  code: string;
  why: string;
  why_zh: string;
  pass: string;
  /** Orders of the parts that ask. */
  parts: number[];
  guesses?: Guess[];
  samples?: Sample[];
  /** Of the file, in its own coordinates, east before north. */
  bounds?: [number, number, number, number] | null;
  declared?: string;
  [fact: string]: unknown;
}

export interface PartReport {
  status?: string;
  reason?: string;
  reason_zh?: string;
  read?: number;
  inserted?: number;
  updated?: number;
  unchanged?: number;
  removed?: number;
  rejected?: number;
  repaired?: number;
  conflicts?: number;
}

export interface DeliveryPart {
  order: number;
  kind: 'layer' | 'table' | 'raster';
  source: string;
  layer: string;
  title_zh: string;
  mode: string;
  state: string;
  held: Question[];
  report: PartReport;
  encoding: string | null;
  source_crs: string | null;
  /** In the source's own coordinates: west, south, east, north. */
  bounds?: [number, number, number, number] | null;
  samples: Sample[];
}

export interface FaultKind {
  code: string;
  name_zh: string;
  name_en: string;
  level: Level;
  count: number;
  message: string;
  message_zh: string;
}

export interface Verdict {
  passed: boolean;
  blocks: number;
  warns: number;
  notes: number;
  by_code: FaultKind[];
  checked_at: string;
  seconds: number;
}

export interface Delivery extends Omit<DeliveryLine, 'parts' | 'questions'> {
  answers: Answers;
  questions: Question[];
  parts: DeliveryPart[];
  verdict: Verdict | null;
  reason: string;
  decided_by: string;
  decided_at: string | null;
  package: boolean;
}

export interface Answers {
  encoding?: string;
  source_crs?: string;
  valid_from?: string;
  accept?: string[];
  conflicts?: 'keep' | 'take';
  repair?: boolean;
  /** By the name of a source: how it is read, whatever it says of itself. */
  read_as?: Record<string, { encoding?: string; source_crs?: string }>;
}

export interface Finding {
  id: number;
  part: { order: number; source: string; layer: string } | null;
  code: string;
  level: Level;
  message: string;
  message_zh: string;
  row: number | null;
  facts: Record<string, unknown>;
  place: Geometry | null;
}

export type DiffOp = 'insert' | 'update' | 'remove' | 'conflict';

export interface DiffRow {
  fid: number | null;
  row: number | null;
  op: DiffOp;
  key: string | number | null;
  changes: Record<string, [unknown, unknown]>;
  area_before: number | null;
  area_after: number | null;
  place: Geometry | null;
  before: Geometry | null;
  /** Of a conflict: as last delivered, as it is now, as delivered. */
  versions?: Record<string, [unknown, unknown, unknown]>;
}

export interface DiffPage {
  rows: DiffRow[];
  next: number | null;
  counts: Record<'insert' | 'update' | 'same' | 'remove' | 'conflict', number>;
}

export interface Profile {
  code: string;
  title_zh: string;
  title_en: string;
  department: Department | string;
  document: Record<string, unknown>;
}

/** One layer of a delivery without a profile. */
export interface LayerPart {
  source: string;
  layer: string;
  title_zh: string;
  title_en: string;
  theme: string;
  secrecy: Secrecy;
  mode: 'create' | 'append' | 'replace' | 'upsert';
  key?: string;
  valid_time: boolean;
}

export interface NewDelivery {
  name: string;
  department: string;
  profile: string | null;
  document: { version: 1; parts: LayerPart[] } | null;
  uploads: string[];
  answers: Answers;
}
