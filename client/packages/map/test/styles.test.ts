import type Style from 'ol/style/Style';
import Feature from 'ol/Feature';
import { expect, test } from 'vitest';

import { catalogue } from '@onemap/testing';
import { shapeStyle, textStyle } from '../src/styles';

const layers = new Map(catalogue(true, 1).map((layer) => [layer.name, layer]));
const draw = (name: string, properties: Record<string, unknown>): Style =>
  shapeStyle(layers.get(name)!)(new Feature(properties), 1) as Style;

test('a feature is drawn in the colour of its class, an unknown code in the plain one', () => {
  expect(draw('parcel', { layer: 'parcel', landuse: '1401' }).getFill()?.getColor()).toBe('#A9D49B');
  expect(draw('parcel', { layer: 'parcel', landuse: '9999' }).getFill()?.getColor()).toBe('#EEEEEE');
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
  expect(merged.getFill()?.getColor()).toBe('#A9D49B');
  expect(merged.getStroke()).toBeNull();
});
