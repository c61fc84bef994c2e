import type { CodeListLine, CodeNode, CodeValue } from '../../api/codes';
import { csvText } from '../../parts/files';

export interface CodeRow {
  value: CodeValue;
  /** Depth below the top, 0 first. */
  depth: number;
  children: number;
}

/** The rows of a tree on screen: below open headings only, or all that the words are found in. */
export function treeRows(tree: readonly CodeNode[], values: ReadonlyMap<string, CodeValue>, closed: ReadonlySet<string>, words: string): CodeRow[] {
  const rows: CodeRow[] = [];
  const wanted = words.trim().toLowerCase();
  const visit = (nodes: readonly CodeNode[], depth: number): void => {
    for (const { code, children } of nodes) {
      const value = values.get(code);
      if (value && (!wanted || speaksOf(value, wanted))) rows.push({ value, depth, children: children.length });
      if (wanted || !closed.has(code)) visit(children, depth + 1);
    }
  };
  visit(tree, 0);
  return rows;
}

function speaksOf({ code, title_zh, title_en }: CodeValue, words: string): boolean {
  return [code, title_zh, title_en].some((text) => text.toLowerCase().includes(words));
}

export type InForce = 'now' | 'ahead' | 'ended';

/** Whether an edition holds on a day, `2026-01-31`; it ends before the day it is valid to. */
export function inForce(line: Pick<CodeListLine, 'valid_from' | 'valid_to'>, day: string): InForce {
  if (line.valid_from && line.valid_from > day) return 'ahead';
  return line.valid_to && line.valid_to <= day ? 'ended' : 'now';
}

const COLUMNS = ['code', 'title_zh', 'title_en', 'parent', 'colour', 'selectable'] as const;

/** An edition as the CSV text it can be sent as. */
export function csvOf(values: readonly CodeValue[]): string {
  const cell = (value: CodeValue, name: (typeof COLUMNS)[number]): string =>
    name === 'selectable' ? (value.selectable ? 'yes' : 'no') : value[name];
  return csvText([COLUMNS, ...values.map((value) => COLUMNS.map((name) => cell(value, name)))]);
}

export const CSV_EXAMPLE = 'code,title_zh,title_en,parent,colour,selectable\n';

/** `landuse-sd@2023` of an address. */
export function keyOf(text: string): { code: string; edition: string } {
  const at = text.indexOf('@');
  return at < 0 ? { code: text, edition: '' } : { code: text.slice(0, at), edition: text.slice(at + 1) };
}

/** Address of an edition's screen. */
export function addressOf({ code, edition }: { code: string; edition: string }): string {
  return `#/codes/${encodeURIComponent(`${code}@${edition}`)}`;
}
