import type { RosterOp, RosterReport } from '../../api/people';
import { csvText } from '../../parts/files';

export const SHEET_WORDS: Record<string, string> = { departments: 'people.departments', posts: 'people.posts', areas: 'people.areas', users: 'people.users' };
export const OP_WORDS: Record<RosterOp, string> = {
  added: 'people.added',
  changed: 'people.changed',
  unchanged: 'people.unchanged',
  closed: 'people.closed',
  reopened: 'people.reopened',
};

/** What stands in a changed field: a new value, or a pair of old and new. */
export function fieldText(value: unknown): string {
  if (Array.isArray(value) && value.length === 2) return value.map(plain).join(' → ');
  return plain(value);
}

function plain(value: unknown): string {
  if (value === null || value === undefined || value === '') return '—';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** First passwords as a file to hand out. */
export function passwordsCsv(passwords: RosterReport['passwords'], heading: readonly [string, string]): string {
  return csvText([heading, ...Object.entries(passwords)]);
}
