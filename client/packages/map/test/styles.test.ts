import type Style from 'ol/style/Style';
import Feature from 'ol/Feature';
import { expect, test } from 'vitest';

import { catalogue, drawn, LABELS, rule } from '@onemap/testing';
import { shapeStyle, textStyle } from '../src/styles';

const layers = new Map(catalogue(true, 1).map((layer) => [layer.name, layer]));
const draw = (name: string, properties: Record<string, unknown>): Style[] =>
  shapeStyle(layers.get(name)!)(new Feature(properties), 1) as Style[];
const fillOf = (styles: Style[]): unknown => styles.map((one) => one.getFill()?.getColor()).find(Boolean);

test('a feature is drawn in the colour of its class, an unknown code in the plain one', () => {
  expect(fillOf(draw('parcel', { layer: 'parcel', landuse: '1401' }))).toBe('#A9D49B');
  expect(fillOf(draw('parcel', { layer: 'parcel', landuse: '9999' }))).toBe('#EEEEEE');
});

test('styles are made once: two features of a class share one object', () => {
  const style = shapeStyle(layers.get('parcel')!);
  const [one, two] = [1, 2].map(() => style(new Feature({ layer: 'parcel', landuse: '0701' }), 1));
  expect(one).toBe(two);
});

test('labels come from the label layer of a tile, shapes from the others', () => {
  const building = layers.get('building')!;
  const [label, shape] = [new Feature({ layer: 'label', text: '创业花园1栋' }), new Feature({ layer: 'building' })];
  expect((textStyle(building)(label, 1) as Style).getText()?.getText()).toBe('创业花园1栋');
  expect(textStyle(building)(shape, 1)).toBeUndefined();
  expect(shapeStyle(building)(label, 1)).toBeUndefined();
});

test('a merged shape of an overview has the colour of its class and no outline', () => {
  const merged = draw('parcel', { layer: 'parcel', landuse: '1401', onemap_count: 12 });
  expect(fillOf(merged)).toBe('#A9D49B');
  expect(merged.map((one) => one.getStroke())).toEqual([null]);
});

test('a casing lies below every line of its layer; a rule is drawn from its first scale on and below its last', () => {
  const road = layers.get('road')!;
  const [line] = road.style.rules[0]!.symbols;
  const cased = rule([{ ...line!, casing: '#333333' } as typeof line & object], { min_scale: 1000, max_scale: 5000 });
  const style = shapeStyle({ ...road, style: { ...road.style, rules: [cased] } });
  const at = (scale: number): Style[] => style(new Feature({ layer: 'road' }), scale * 0.00028) as Style[];
  expect(at(2000).map((one) => [one.getZIndex(), one.getStroke()?.getWidth()])).toEqual([[-1, 5], [undefined, 3]]);
  expect([at(999), at(5000)]).toEqual([[], []]);
});

test('labels keep to the scales of their style', () => {
  const building = layers.get('building')!;
  const style = { ...drawn('polygon', { stroke: '#000000' }), labels: { ...LABELS, max_scale: 2500 } };
  const label = new Feature({ layer: 'label', text: '创业花园1栋' });
  const text = textStyle({ ...building, style });
  expect(text(label, 2000 * 0.00028)).toBeDefined();
  expect(text(label, 5000 * 0.00028)).toBeUndefined();
});
