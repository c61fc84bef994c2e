/** One row of the tree as it is shown now: collapsed children are not rows. */
export interface TreeRow {
  id: string;
  label: string;
  level: 1 | 2;
  /** null for a leaf. */
  expanded: boolean | null;
  /** Position among its siblings, from 1. */
  position: number;
  siblings: number;
}

export type TreeMove =
  | { type: 'focus'; index: number }
  | { type: 'expand' | 'collapse'; id: string }
  | { type: 'check' | 'open'; id: string }
  | null;

function parentOf(rows: TreeRow[], index: number): number {
  for (let above = index - 1; above >= 0; above -= 1) if (rows[above]?.level === 1) return above;
  return index;
}

function forward(rows: TreeRow[], index: number): TreeMove {
  const row = rows[index];
  if (!row || row.expanded === null) return null;
  return row.expanded ? { type: 'focus', index: Math.min(index + 1, rows.length - 1) } : { type: 'expand', id: row.id };
}

function backward(rows: TreeRow[], index: number): TreeMove {
  const row = rows[index];
  if (!row) return null;
  if (row.expanded === true) return { type: 'collapse', id: row.id };
  return row.level === 2 ? { type: 'focus', index: parentOf(rows, index) } : null;
}

/** The next row whose label starts with a letter typed, going round. */
function typeAhead(rows: TreeRow[], index: number, letter: string): TreeMove {
  const wanted = letter.toLowerCase();
  for (let step = 1; step <= rows.length; step += 1) {
    const candidate = (index + step) % rows.length;
    if (rows[candidate]?.label.toLowerCase().startsWith(wanted)) return { type: 'focus', index: candidate };
  }
  return null;
}

type Handler = (rows: TreeRow[], index: number) => TreeMove;

const HANDLERS: Record<string, Handler> = {
  ArrowDown: (rows, index) => ({ type: 'focus', index: Math.min(index + 1, rows.length - 1) }),
  ArrowUp: (_rows, index) => ({ type: 'focus', index: Math.max(index - 1, 0) }),
  Home: () => ({ type: 'focus', index: 0 }),
  End: (rows) => ({ type: 'focus', index: rows.length - 1 }),
  ArrowRight: forward,
  ArrowLeft: backward,
  ' ': (rows, index) => ({ type: 'check', id: rows[index]?.id ?? '' }),
  Enter: (rows, index) => ({ type: 'open', id: rows[index]?.id ?? '' }),
};

/** What a key does in the tree (ARIA practices: arrows, Home, End, Space, Enter, first letters); null is not ours. */
export function treeKey(rows: TreeRow[], index: number, key: string): TreeMove {
  const handler = HANDLERS[key];
  if (handler) return handler(rows, index);
  return key.length === 1 ? typeAhead(rows, index, key) : null;
}
