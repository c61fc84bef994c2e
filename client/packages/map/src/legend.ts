import type { GeometryKind, LayerInfo, Rule } from '@onemap/core';

export interface Swatch {
  /** Value of the class field; null where a rule is not about one value. */
  code: string | null;
  geometry: GeometryKind;
  /** Lowest first. */
  symbols: Rule['symbols'];
  label_zh: string;
  label_en: string;
}

/** What the legend shows for a layer, from the same rules that the map is drawn with. */
export function legendOf({ style: { field, rules }, geometry, title_zh, title_en }: LayerInfo): Swatch[] {
  // What is left over stands in the legend only where the style names it.
  const named = firstOfEach(rules.filter((rule) => rule.symbols.length > 0 && (!rule.otherwise || rule.title_zh || rule.title_en)));
  const swatches = named.map((rule): Swatch => {
    const values = valuesOf(rule, field);
    const otherwise = (title: string): string => (rule.where === null ? title : values.join(' '));
    return {
      code: values.length === 1 ? values[0]! : null,
      geometry,
      symbols: rule.symbols,
      label_zh: rule.title_zh || rule.title_en || otherwise(title_zh),
      label_en: rule.title_en || rule.title_zh || otherwise(title_en),
    };
  });
  return swatches.length > 0 ? swatches : [{ code: null, geometry, symbols: [], label_zh: title_zh, label_en: title_en }];
}

/** One class may look otherwise at other scales; the legend shows it once, as it is first told. */
function firstOfEach(rules: Rule[]): Rule[] {
  const seen = new Map(rules.map((rule) => [JSON.stringify([rule.where, rule.otherwise]), rule] as const).reverse());
  return rules.filter((rule) => seen.get(JSON.stringify([rule.where, rule.otherwise])) === rule);
}

/** The values of the class field that a rule is about. */
function valuesOf({ where }: Rule, field: string | null): string[] {
  if (field === null || where === null || where[1] !== field) return [];
  return where[0] === '==' || where[0] === 'in' ? [where[2]].flat().map(String) : [];
}

/** The legend's words for one value of a field, where the field is what the classes go by. */
export function classOf(layer: LayerInfo, field: string, value: unknown): Rule | undefined {
  const { style } = layer;
  return field === style.field ? style.rules.find((rule) => valuesOf(rule, field).includes(String(value))) : undefined;
}
