import type { Place } from '@onemap/map';

import type { DiffPage, DiffRow, PartReport } from '../../api/types';

/** A name for a row that the map and the list share. */
export function rowId(row: DiffRow): string {
  return row.fid === null ? `row-${row.row ?? 0}` : `fid-${row.fid}`;
}

/** What the map draws: the place as it will be, over the place as it was. */
export function diffPlaces(rows: readonly DiffRow[]): Place[] {
  return rows.flatMap((row): Place[] => [
    ...(row.before ? [{ id: rowId(row), kind: 'before' as const, geometry: row.before }] : []),
    ...(row.place ? [{ id: rowId(row), kind: row.op, geometry: row.place }] : []),
  ]);
}

/** The counts of a part's report, under the names of the comparison. */
export function countsOfPart(report: PartReport | undefined): DiffPage['counts'] {
  const { inserted = 0, updated = 0, unchanged = 0, removed = 0, conflicts = 0 } = report ?? {};
  return { insert: inserted, update: updated, same: unchanged, remove: removed, conflict: conflicts };
}

/** The fields worth showing of a row: all that changed, or the first of a new one. */
export function shownFields(row: DiffRow, most: number): { name: string; before: string; after: string }[] {
  return Object.entries(row.changes)
    .slice(0, most)
    .map(([name, [before, after]]) => ({ name, before: text(before), after: text(after) }));
}

function text(value: unknown): string {
  if (value === null || value === undefined || value === '') return '—';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The values of a conflict in its three versions, where they differ. */
export function conflictVersions(row: DiffRow): { name: string; last: string; now: string; given: string }[] {
  const versions = row.versions ?? {};
  return Object.entries(versions)
    .map(([name, [last, now, given]]) => ({ name, last: text(last), now: text(now), given: text(given) }))
    .filter(({ last, now, given }) => last !== now || now !== given);
}
