import type { GeometryKind, LayerInfo } from '@onemap/core';

/** Colours where a layer's style leaves them open: quiet, and readable on any fill. */
export const DEFAULT_FILL = '#E3E8EE';
export const DEFAULT_STROKE = '#5F6E7E';

export interface Swatch {
  /** Value of the class field; null for a layer of one class. */
  code: string | null;
  geometry: GeometryKind;
  fill: string;
  stroke: string;
  /** Line width, CSS pixels. */
  width: number;
  /** Point radius, CSS pixels. */
  radius: number;
  label_zh: string;
  label_en: string;
}

/** What the legend shows for a layer, from the same style that the map is drawn with. */
export function legendOf(layer: LayerInfo): Swatch[] {
  const { style } = layer;
  const plain: Swatch = {
    code: null,
    geometry: layer.geometry,
    fill: style.fill ?? DEFAULT_FILL,
    stroke: style.stroke ?? DEFAULT_STROKE,
    width: style.width ?? 1,
    radius: style.radius ?? 4,
    label_zh: layer.title_zh,
    label_en: layer.title_en,
  };
  if (!style.categories) return [plain];
  return inCodeOrder(Object.entries(style.categories.values)).map(([code, category]) => ({
    ...plain,
    code,
    fill: category.fill,
    stroke: category.stroke ?? (layer.geometry === 'line' ? category.fill : plain.stroke),
    label_zh: category.label_zh,
    label_en: category.label_en,
  }));
}

/** JSON objects lose the order of keys that look like numbers, so all-digit codes are put in order again. */
function inCodeOrder<T>(entries: [string, T][]): [string, T][] {
  const digits = entries.every(([code]) => /^\d+$/.test(code));
  return digits ? entries.sort(([a], [b]) => (a < b ? -1 : 1)) : entries;
}
