import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { fieldsOf, holds, type Condition } from '../src/conditions';

interface Case {
  where: Condition;
  values: Record<string, unknown>;
  holds: boolean;
}

/** The server answers the same table (tests/layers/styles/test_conditions.py). */
const TABLE = new URL('../../../../tests/layers/styles/data/conditions.json', import.meta.url);
const cases = JSON.parse(readFileSync(TABLE, 'utf8')) as Case[];

test.each(cases)('$where of $values is $holds', ({ where, values, holds: expected }) => {
  expect(holds(where, (field) => values[field])).toBe(expected);
});

test('a condition says which fields it asks about', () => {
  expect(fieldsOf(['all', ['==', 'class', '支路'], ['not', ['null', 'floors']]])).toEqual(['class', 'floors']);
});
