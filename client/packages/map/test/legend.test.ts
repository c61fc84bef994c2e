import { expect, test } from 'vitest';

import { catalogue, drawn } from '@onemap/testing';
import { classOf, legendOf } from '../src/legend';

const layers = new Map(catalogue(true, 1).map((layer) => [layer.name, layer]));

test('the legend has the classes in the order of the rules, and what is left over only where it has a name', () => {
  expect(legendOf(layers.get('parcel')!).map(({ code }) => code)).toEqual(['0701', '0901', '1001', '1401']);
});

test('a line of a class is drawn in the colour of the class', () => {
  const [express] = legendOf(layers.get('road')!);
  expect(express).toMatchObject({ code: 'express', symbols: [{ color: '#D98E4A', width: 3 }] });
});

test('a plain layer has one entry under its own title', () => {
  const style = drawn('polygon', { stroke: '#000000' });
  const [entry, ...rest] = legendOf({ ...layers.get('building')!, style });
  expect(entry).toMatchObject({ code: null, label_zh: '建筑物', label_en: 'Buildings', symbols: [{ type: 'fill' }, { type: 'line' }] });
  expect(rest).toEqual([]);
});

test('a value has the words of its class, of the class field alone', () => {
  const parcel = layers.get('parcel')!;
  expect(classOf(parcel, 'landuse', '1401')?.title_zh).toBe('公园绿地');
  expect([classOf(parcel, 'parcel_no', '1401'), classOf(parcel, 'landuse', '9999')]).toEqual([undefined, undefined]);
});

test('a class that looks otherwise at other scales is in the legend once, as it is first told', () => {
  const road = layers.get('road')!;
  const far = road.style.rules.map((rule) => ({ ...rule, min_scale: 60_000, symbols: rule.symbols.slice(0, 1) }));
  const twice = { ...road, style: { ...road.style, rules: [...road.style.rules, ...far] } };
  expect(legendOf(twice)).toEqual(legendOf(road));
});
