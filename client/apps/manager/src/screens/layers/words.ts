import type { Action } from '@onemap/core';
import type { MetadataDocument } from '../../api/layerTypes';

export const ACTION_WORDS: Record<Action, string> = {
  view: 'grant.view',
  query: 'grant.query',
  download: 'grant.download',
  edit: 'grant.edit',
  publish: 'grant.publish',
  admin: 'grant.admin',
};

export const FAMILY_WORDS = {
  point: 'layers.family.point',
  line: 'layers.family.line',
  polygon: 'layers.family.polygon',
  table: 'layers.family.table',
  raster: 'layers.family.raster',
} as const;

export const SECRECY_WORDS = { public: 'secrecy.public', internal: 'secrecy.internal', sensitive: 'secrecy.sensitive' } as const;

export const KIND_WORDS: Record<string, string> = {
  edit: 'change.edit',
  import: 'change.import',
  restore: 'change.restore',
  undo: 'change.undo',
  changeset: 'change.changeset',
};

export const VERSION_WORDS = { draft: 'metadata.draft', approved: 'metadata.approved', replaced: 'metadata.replaced' } as const;
export const ON_WORDS = { layer: 'grant.on-layer', theme: 'grant.on-theme', all: 'grant.on-all' } as const;

export type Freshness = 'fresh' | 'late' | 'open';

const DAY_MS = 86_400_000;

/** Whether a layer keeps its promised rhythm; `open` when none was promised. */
export function freshness(updatedAt: string | null, updateDays: number | null | undefined, now: number = Date.now()): { state: Freshness; days: number } {
  if (!updateDays) return { state: 'open', days: 0 };
  const age = updatedAt ? (now - new Date(updatedAt).getTime()) / DAY_MS : Infinity;
  const over = age - updateDays;
  return over > 0 ? { state: 'late', days: Number.isFinite(over) ? Math.ceil(over) : 0 } : { state: 'fresh', days: Math.floor(-over) };
}

/** Parts of a record of metadata, in the order of the form; `days` and `long` are how they are typed. */
export const METADATA_PARTS: readonly { part: string; word: string; most: number; how?: 'long' | 'day' | 'topic' | 'list' }[] = [
  { part: 'title_zh', word: 'layer.title-zh', most: 200 },
  { part: 'title_en', word: 'layer.title-en', most: 200 },
  { part: 'abstract_zh', word: 'metadata.abstract-zh', most: 5_000, how: 'long' },
  { part: 'abstract_en', word: 'metadata.abstract-en', most: 5_000, how: 'long' },
  { part: 'purpose', word: 'metadata.purpose', most: 2_000, how: 'long' },
  { part: 'keywords', word: 'metadata.keywords', most: 3_000, how: 'list' },
  { part: 'topic', word: 'metadata.topic', most: 60, how: 'topic' },
  { part: 'provider', word: 'metadata.provider', most: 200 },
  { part: 'contact', word: 'metadata.contact', most: 200 },
  { part: 'produced', word: 'metadata.produced', most: 10, how: 'day' },
  { part: 'published', word: 'metadata.published', most: 10, how: 'day' },
  { part: 'revised', word: 'metadata.revised', most: 10, how: 'day' },
  { part: 'update_cycle', word: 'metadata.cycle', most: 60 },
  { part: 'epoch', word: 'metadata.epoch', most: 60 },
  { part: 'scale', word: 'metadata.scale', most: 60 },
  { part: 'height_datum', word: 'metadata.height', most: 60 },
  { part: 'format', word: 'metadata.format', most: 60 },
  { part: 'lineage', word: 'metadata.lineage', most: 5_000, how: 'long' },
  { part: 'use_limits', word: 'metadata.limits', most: 2_000, how: 'long' },
];

/** A record as the texts of a form: the keywords are separated by semicolons. */
export function formOf(document: MetadataDocument): Record<string, string> {
  return Object.fromEntries(METADATA_PARTS.map(({ part }) => [part, Array.isArray(document[part]) ? document[part].join('；') : (document[part] ?? '')]));
}

export function recordOf(form: Readonly<Record<string, string>>): MetadataDocument {
  return Object.fromEntries(METADATA_PARTS.map(({ part, how }) => [part, how === 'list' ? keywords(form[part] ?? '') : (form[part] ?? '').trim()]));
}

function keywords(text: string): string[] {
  return text.split(/[;；,，\n]/).map((one) => one.trim()).filter(Boolean);
}

/** Parts in which two records differ. */
export function differing(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): string[] {
  return METADATA_PARTS.map(({ part }) => part).filter((part) => (one[part] ?? '') !== (other[part] ?? ''));
}
