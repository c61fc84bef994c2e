import type { StyleFunction } from 'ol/style/Style';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';

import { scaleOfResolution, type Labels, type LayerInfo, type Rule } from '@onemap/core';
import { fieldsOf, holds, type ValueOf } from './conditions';
import { mergedStylesOf, stylesOf } from './symbols';

const FACES = '"Microsoft YaHei","PingFang SC","Noto Sans CJK SC","Source Han Sans SC",sans-serif';

/** Name of the extra tile layer with one point per labelled feature. */
const LABEL_LAYER = 'label';

/** Part of an overview: many features in one shape, which has no outline of its own to draw. */
const MERGED = 'onemap_count';

/** Values whose look is kept; a layer drawn by a measured number has no end of them. */
const MOST_KNOWN = 2000;

type Ranged = Pick<Rule, 'min_scale' | 'max_scale'>;

function inScale({ min_scale, max_scale }: Ranged, scale: number): boolean {
  return (min_scale === null || scale >= min_scale) && (max_scale === null || scale < max_scale);
}

/** The rules that a feature fulfils; `otherwise` holds where no rule with a condition does, whatever its scales. */
function fulfilled(rules: Rule[], valueOf: ValueOf): Rule[] {
  const met = rules.filter(({ where }) => where !== null && holds(where, valueOf));
  return rules.filter((rule) => (rule.where === null ? !rule.otherwise || met.length === 0 : met.includes(rule)));
}

/** The style of a layer's shapes: made once per rule, found once per value, so that 100,000 features cost look-ups only. */
export function shapeStyle({ style: { rules }, geometry }: LayerInfo): StyleFunction {
  const plain = new Map(rules.map((rule) => [rule, stylesOf(rule, geometry)]));
  const merged = new Map(rules.map((rule) => [rule, mergedStylesOf(rule, geometry)]));
  const fields = [...new Set(rules.flatMap(({ where }) => (where ? fieldsOf(where) : [])))];
  const limits = rules.flatMap(({ min_scale, max_scale }) => [min_scale ?? 0, max_scale ?? 0]);
  const known = new Map<string, Style[]>();
  const find = (valueOf: ValueOf, scale: number, isMerged: boolean): Style[] =>
    fulfilled(rules, valueOf)
      .filter((rule) => inScale(rule, scale))
      .flatMap((rule) => (isMerged ? merged : plain).get(rule)!);
  return (feature, resolution) => {
    if (feature.get('layer') === LABEL_LAYER) return undefined;
    const isMerged = feature.get(MERGED) !== undefined;
    const valueOf: ValueOf = (field) => feature.get(field);
    const scale = scaleOfResolution(resolution);
    if (fields.length > 1) return find(valueOf, scale, isMerged);
    const value = fields[0] === undefined ? undefined : valueOf(fields[0]);
    const band = limits.filter((limit) => limit <= scale).length;
    const key = `${band} ${isMerged} ${typeof value} ${value}`;
    const found = known.get(key) ?? find(valueOf, scale, isMerged);
    if (known.size < MOST_KNOWN) known.set(key, found);
    return found;
  };
}

/** How far a layer's markers reach from their middle, CSS pixels. */
function reachOf(rules: Rule[]): number {
  const sizes = rules.flatMap(({ symbols }) => symbols.map((one) => (one.type === 'marker' ? one.size / 2 : 0)));
  return Math.max(0, ...sizes);
}

function labelStyle(labels: Labels, offsetY: number): Style {
  return new Style({
    text: new Text({
      font: `${labels.size}px ${FACES}`,
      fill: new Fill({ color: labels.color }),
      stroke: new Stroke({ color: labels.halo, width: 2 * labels.halo_width }),
      overflow: true,
      offsetY,
    }),
  });
}

/** The style of a layer's labels: text only, on the points of the tile's label layer. */
export function textStyle({ style: { labels, rules }, geometry }: LayerInfo): StyleFunction {
  // Beside its marker, not on it.
  const label = labelStyle(labels, geometry === 'point' ? -(reachOf(rules) + labels.size * 0.75) : 0);
  return (feature, resolution) => {
    if (feature.get('layer') !== LABEL_LAYER || !inScale(labels, scaleOfResolution(resolution))) return undefined;
    label.getText()?.setText(String(feature.get('text') ?? ''));
    return label;
  };
}

const CASING = '#0B2B3A';
const SELECTION = '#00A6C8';

/** The selected feature: cyan inside a dark casing, no fill, so the land use below stays readable. */
export const SELECTION_STYLE: Style[] = [
  new Style({
    stroke: new Stroke({ color: CASING, width: 5 }),
    image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: CASING, width: 5 }) }),
  }),
  new Style({
    stroke: new Stroke({ color: SELECTION, width: 3 }),
    image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: SELECTION, width: 3 }) }),
  }),
];
