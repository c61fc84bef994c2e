import type { Place } from '@onemap/map';

import type { ChangeSide, Difference, Ledger } from '../../api/changesetTypes';

/** A name for a change that the map and the table share. */
export function changeId({ layer, fid, period }: { layer: string; fid: number; period: string | null }): string {
  return [layer, fid, period].filter((part) => part !== null).join('/');
}

const KINDS = { insert: 'insert', update: 'update', delete: 'remove' } as const;

/** What the map draws: a feature as it will be over the feature as it was; what goes is drawn once. */
export function changePlaces(changes: readonly Difference[]): Place[] {
  return changes.flatMap((change): Place[] => {
    const id = changeId(change);
    const last = change.op === 'delete' ? change.before : change.after;
    const before = change.reshaped ? change.before : null;
    return [...placeOf(id, 'before', before), ...placeOf(id, KINDS[change.op], last)];
  });
}

function placeOf(id: string, kind: Place['kind'], side: ChangeSide | null): Place[] {
  return side?.geometry ? [{ id, kind, geometry: side.geometry }] : [];
}

/** Square metres won or lost; null where there is no area on either side. */
export function areaDifference({ before, after }: Difference): number | null {
  const areas = [before, after].map((side) => side?.area ?? null);
  if (areas.every((area) => area === null)) return null;
  const [was, now] = areas.map((area) => area ?? 0);
  return now! - was!;
}

/** A number with its sign, as a difference is written; a difference that rounds to nothing has none. */
export function signed(value: number, format: (value: number) => string): string {
  const text = format(Math.abs(value));
  if (Number(text.replace(/[^\d.]/g, '')) === 0) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

export interface LedgerSum {
  inserted: number;
  updated: number;
  deleted: number;
  before: number;
  after: number;
}

/** All layers together. */
export function ledgerSum(rows: readonly Ledger[]): LedgerSum {
  const sum = (of: (row: Ledger) => number): number => rows.reduce((all, row) => all + of(row), 0);
  return {
    inserted: sum((row) => row.inserted),
    updated: sum((row) => row.updated),
    deleted: sum((row) => row.deleted),
    before: sum((row) => row.area_before),
    after: sum((row) => row.area_after),
  };
}

/** Where the arrow keys, Home and End lead in a list; null where a key leads nowhere. */
export function rowAfter(key: string, at: number, count: number): number | null {
  const wanted: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1 };
  const next = wanted[key];
  return next === undefined || next < 0 || next >= count ? null : next;
}

/** The features that a change is the origin of, or that went into it, as far as they are listed. */
export function kinOf(change: Difference, changes: readonly Difference[]): { parts: number[]; sources: number[] } {
  const near = changes.filter(({ layer }) => layer === change.layer);
  const fids = (found: Difference[]): number[] => [...new Set(found.map(({ fid }) => fid))];
  return { parts: fids(near.filter(({ split_from }) => split_from === change.fid)), sources: fids(near.filter(({ merged_into }) => merged_into === change.fid)) };
}
