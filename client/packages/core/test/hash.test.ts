import { expect, test } from 'vitest';

import { readHash, writeHash, type Link } from '../src/hash';

test('a link carries view, layers, feature and language there and back', () => {
  const link: Link = {
    center: [506171.9, 2493598],
    scale: 2000,
    layers: [{ name: 'road', opacity: 100 }, { name: 'building', opacity: 60 }],
    feature: { layer: 'building', fid: 12 },
    changeset: 7,
    language: 'en',
  };
  expect(readHash(writeHash(link))).toEqual(link);
});

test('no layers chosen is not the same as no layers at all', () => {
  expect(readHash('#c=1,2').layers).toBeUndefined();
  expect(readHash(writeHash({ layers: [] })).layers).toEqual([]);
});

test.each([
  '#c=abc,2&s=-4&l=Road,%27;drop&f=building.0&lang=xx',
  '#c=1,2,3&s=NaN&l=road:101&f=../../x.1',
  '#c=1e99,2&s=1e99&changeset=0',
  '#changeset=1;2',
])('parts that are not well formed are left out: %s', (hash) => {
  const { layers = [], ...rest } = readHash(hash);
  expect(rest).toEqual({});
  expect(layers).toEqual([]);
});
