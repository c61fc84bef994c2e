import type Style from 'ol/style/Style';
import Feature from 'ol/Feature';
import { expect, test } from 'vitest';

import { catalogue } from '@onemap/testing';
import { tileStyle } from '../src/styles';

const layers = new Map(catalogue(true, 1).map((layer) => [layer.name, layer]));
const draw = (name: string, properties: Record<string, unknown>): Style =>
  tileStyle(layers.get(name)!)(new Feature(properties), 1) as Style;

test('a feature is drawn in the colour of its class, an unknown code in the plain one', () => {
  expect(draw('parcel', { layer: 'parcel', landuse: '1401' }).getFill()?.getColor()).toBe('#A9D49B');
  expect(draw('parcel', { layer: 'parcel', landuse: '9999' }).getFill()?.getColor()).toBe('#EEEEEE');
});

test('styles are made once: two features of a class share one object', () => {
  const style = tileStyle(layers.get('parcel')!);
  const [one, two] = [1, 2].map(() => style(new Feature({ layer: 'parcel', landuse: '0701' }), 1));
  expect(one).toBe(two);
});

test('the label layer of a tile is text only', () => {
  const label = draw('building', { layer: 'label', text: '创业花园1栋' });
  expect(label.getText()?.getText()).toBe('创业花园1栋');
  expect(label.getFill()).toBeNull();
});
