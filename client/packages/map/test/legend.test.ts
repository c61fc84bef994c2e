import { expect, test } from 'vitest';

import { catalogue } from '@onemap/testing';
import { legendOf } from '../src/legend';

const layers = new Map(catalogue(true, 1).map((layer) => [layer.name, layer]));

test('codes of digits come in their order, though JSON forgets it', () => {
  expect(legendOf(layers.get('parcel')!).map(({ code }) => code)).toEqual(['0701', '0901', '1001', '1401']);
});

test('a line of a class is drawn in the colour of the class', () => {
  const [express] = legendOf(layers.get('road')!);
  expect(express).toMatchObject({ code: 'express', stroke: '#D98E4A', width: 3 });
});

test('a plain layer has one entry under its own title, and defaults where the style is silent', () => {
  const [entry] = legendOf({ ...layers.get('building')!, style: {} });
  expect(entry).toMatchObject({ code: null, label_zh: '建筑物', label_en: 'Buildings', width: 1 });
  expect(entry?.fill).toMatch(/^#/);
});
