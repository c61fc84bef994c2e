import { formatValue, inLanguage, type Language, type PropertyValue } from '@onemap/core';

import type { EditableLayer } from '../../api/changesets';
import type { DraftField } from '../../api/changesetTypes';

export type LayersByName = ReadonlyMap<string, EditableLayer>;

export function fieldOf(layers: LayersByName, layer: string, name: string): DraftField | undefined {
  return layers.get(layer)?.fields.find((field) => field.name === name);
}

/** Whether the features of a layer have an area worth telling. */
export function hasAreas(layers: LayersByName, layer: string): boolean {
  return (layers.get(layer)?.geometry ?? 'polygon') === 'polygon';
}

/** A field as people call it; its own name where it has no other. */
export function fieldName(field: DraftField | undefined, name: string, language: Language): string {
  return (field && inLanguage(field, 'alias', language)) || name;
}

export function codeTitle(code: readonly [string, string, string], language: Language): string {
  return (language === 'en' && code[2]) || code[1];
}

/** A value as people read it: a code with its title, a number with its unit. */
export function valueText(value: PropertyValue | undefined, field: DraftField | undefined, language: Language): string {
  const code = field?.codes?.find(([one]) => one === String(value));
  return code ? `${code[0]} ${codeTitle(code, language)}` : formatValue(value, field);
}
