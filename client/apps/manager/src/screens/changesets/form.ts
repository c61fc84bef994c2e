import type { PropertyValue } from '@onemap/core';

import type { DraftEdit, DraftField } from '../../api/changesetTypes';

/** The texts of a form, by field. */
export type Texts = Readonly<Record<string, string>>;

/** A value as it stands in a form; an empty text is no value. */
export function textOf(value: PropertyValue | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function textsOf(fields: readonly DraftField[], properties: Readonly<Record<string, PropertyValue>>): Record<string, string> {
  return Object.fromEntries(fields.map(({ name }) => [name, textOf(properties[name])]));
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WHOLE = /^[+-]?\d+$/;

/** The key of what is wrong with a text; empty when it can be sent. What a layer demands beyond is the server's to say. */
export function faultOfText(field: Pick<DraftField, 'type'> | undefined, text: string): string {
  const given = text.trim();
  if (given === '') return '';
  if (field?.type === 'integer' && !WHOLE.test(given)) return 'draft.whole-number';
  if (field?.type === 'real' && !NUMBER.test(given)) return 'draft.number';
  return '';
}

/** A text as the value that is sent. A whole number beyond what JavaScript counts is sent as it was typed. */
export function valueOf(field: Pick<DraftField, 'type'> | undefined, text: string): PropertyValue {
  const given = text.trim();
  if (given === '') return null;
  return (field && READERS[field.type]?.(given)) ?? text;
}

const READERS: Record<string, (given: string) => PropertyValue> = {
  boolean: (given) => given === 'true',
  real: Number,
  integer: (given) => (Number.isSafeInteger(Number(given)) ? Number(given) : given),
};

/** Fields whose text differs from what is there. */
export function changedFields(fields: readonly DraftField[], before: Texts, now: Texts): DraftField[] {
  return fields.filter(({ name }) => (before[name] ?? '') !== (now[name] ?? ''));
}

/** The edit that a form asks for: what changed, and the version that was seen. */
export function editOf(fid: number, version: number, changed: readonly DraftField[], now: Texts, since: string): DraftEdit {
  const properties = Object.fromEntries(changed.map((field) => [field.name, valueOf(field, now[field.name] ?? '')]));
  return { op: 'update', fid, version, properties, ...(since ? { since } : {}) };
}

/** A form after others changed the feature: what was written here stays, everything else becomes what is there now. */
export function rebasedTexts(before: Texts, mine: Texts, present: Texts): Record<string, string> {
  const kept = Object.entries(mine).filter(([name, text]) => text !== (before[name] ?? ''));
  return { ...present, ...Object.fromEntries(kept) };
}
