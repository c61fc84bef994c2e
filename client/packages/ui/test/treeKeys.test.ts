import { expect, test } from 'vitest';

import { treeKey, type TreeRow } from '../src/treeKeys';

const row = (id: string, level: 1 | 2, expanded: boolean | null, label = id): TreeRow => ({
  id,
  label,
  level,
  expanded,
  position: 1,
  siblings: 1,
});

const rows = [row('base', 1, true, '基础地理'), row('road', 2, null, 'Road'), row('building', 2, null, 'Building'), row('plan', 1, false, '规划')];

test.each([
  [0, 'ArrowDown', { type: 'focus', index: 1 }],
  [3, 'ArrowDown', { type: 'focus', index: 3 }],
  [0, 'ArrowUp', { type: 'focus', index: 0 }],
  [2, 'ArrowUp', { type: 'focus', index: 1 }],
  [2, 'Home', { type: 'focus', index: 0 }],
  [0, 'End', { type: 'focus', index: 3 }],
  [0, 'ArrowRight', { type: 'focus', index: 1 }],
  [3, 'ArrowRight', { type: 'expand', id: 'plan' }],
  [1, 'ArrowRight', null],
  [0, 'ArrowLeft', { type: 'collapse', id: 'base' }],
  [2, 'ArrowLeft', { type: 'focus', index: 0 }],
  [3, 'ArrowLeft', null],
  [1, ' ', { type: 'check', id: 'road' }],
  [1, 'Enter', { type: 'open', id: 'road' }],
  [1, 'b', { type: 'focus', index: 2 }],
  [2, 'r', { type: 'focus', index: 1 }],
  [1, '规', { type: 'focus', index: 3 }],
  [1, 'z', null],
  [1, 'Tab', null],
])('on row %i the key %s does %o', (index, key, move) => {
  expect(treeKey(rows, index, key)).toEqual(move);
});
