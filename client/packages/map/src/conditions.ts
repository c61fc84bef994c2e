import type { Rule } from '@onemap/core';

/** `["==", "class", "主干路"]`, joined by all, any and not; the server's form, answered as the server answers it. */
export type Condition = NonNullable<Rule['where']>;
export type ValueOf = (field: string) => unknown;

type Value = string | number | boolean;

const ORDERS: Record<string, (a: Value, b: Value) => boolean> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Whether a feature with these values fulfils a condition; a comparison with a missing value is false. */
export function holds(condition: Condition, valueOf: ValueOf): boolean {
  const [operator, ...rest] = condition as [string, ...Condition[]];
  if (operator === 'all') return rest.every((one) => holds(one, valueOf));
  if (operator === 'any') return rest.some((one) => holds(one, valueOf));
  if (operator === 'not') return !holds(rest[0]!, valueOf);
  const given = valueOf(String(rest[0])) ?? null;
  if (operator === 'null') return given === null;
  return given !== null && compared(operator, given, rest[1]);
}

function compared(operator: string, given: unknown, other: unknown): boolean {
  if (operator === 'in') return (other as Value[]).includes(given as Value);
  if (operator === '==' || operator === '!=') return (given === other) === (operator === '==');
  const order = ORDERS[operator];
  if (!order || (typeof given === 'string') !== (typeof other === 'string')) return false;
  return order(given as Value, other as Value);
}

/** The fields that a condition asks about. */
export function fieldsOf(condition: Condition): string[] {
  const [operator, ...rest] = condition as [string, ...Condition[]];
  return ['all', 'any', 'not'].includes(operator) ? rest.flatMap(fieldsOf) : [String(rest[0])];
}
