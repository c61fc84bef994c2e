import type { LayerInfo } from '@onemap/core';

import type { FoundFeature } from './state';

/** What to call a feature in a list: its label, else its first text, else its number. */
export function featureName(feature: FoundFeature, layer: LayerInfo | undefined): string {
  const { properties, fid } = feature;
  const label = layer?.label_field ? properties[layer.label_field] : null;
  if (typeof label === 'string' && label !== '') return label;
  const text = layer?.fields.map(({ name }) => properties[name]).find((value) => typeof value === 'string' && value !== '');
  return typeof text === 'string' ? text : `#${fid}`;
}
