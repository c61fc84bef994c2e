import { beforeAll, expect, test } from 'vitest';

import { MAP_INFO } from '@onemap/testing';
import type { LayerInfo } from '@onemap/core';
import { registerCrs } from '../src/crs';
import { coarsestResolution, createTileGrid, levelResolution, levelScale, nearerLevel, tileBox } from '../src/grids';
import { detailAt, firstResolution } from '../src/reconciler';

const { grid } = MAP_INFO;

beforeAll(() => registerCrs(MAP_INFO.crs));

test('level 0 is the square of the architecture: E 400000 … 693601.28, N 2346398.72 … 2640000', () => {
  const square = [400000, 2346398.72, 693601.28, 2640000];
  tileBox(grid, 0, 0, 0).forEach((value, index) => expect(value).toBeCloseTo(square[index]!, 8));
});

test('scale denominators are 4,096,000 / 2^z; 1:500, 1:1000 and 1:2000 are exact levels', () => {
  for (let level = 0; level < grid.levels; level += 1) expect(levelScale(grid, level)).toBeCloseTo(4_096_000 / 2 ** level, 6);
  expect([11, 12, 13].map((level) => Math.round(levelScale(grid, level)))).toEqual([2000, 1000, 500]);
});

test('1146.88 / 2^z metres per pixel at 256 px, half of it at 512', () => {
  expect(levelResolution(grid, 0, 256)).toBeCloseTo(1146.88, 9);
  expect(levelResolution(grid, 7)).toBeCloseTo(4.48, 9);
});

test('OpenLayers cuts the same boxes', () => {
  const tiles = createTileGrid(grid);
  for (const [z, x, y] of [[0, 0, 0], [7, 46, 63], [13, 2960, 4084]] as const) {
    const [ours, theirs] = [tileBox(grid, z, x, y), tiles.getTileCoordExtent([z, x, y])];
    ours.forEach((value, index) => expect(value).toBeCloseTo(theirs[index]!, 6));
  }
});

test('rows count down from the north: the centre of Shenzhen is where the server finds it', () => {
  const [z, x, y] = createTileGrid(grid).getTileCoordForCoordAndZ([506171.999, 2493598.044], 7);
  const box = tileBox(grid, z!, x!, y!);
  expect([z, x, y]).toEqual([7, 46, 63]);
  expect(box[0] <= 506171.999 && 506171.999 < box[2] && box[1] <= 2493598.044 && 2493598.044 < box[3]).toBe(true);
});

test('a resolution between two levels goes to the nearer one by ratio', () => {
  const tiles = createTileGrid(grid);
  const level = (resolution: number): number => tiles.getZForResolution(resolution, nearerLevel);
  expect(level(4.48)).toBe(7);
  expect(level(4.48 * 1.41)).toBe(7);
  expect(level(4.48 * 1.42)).toBe(6);
  expect(level(4.48 / 1.41)).toBe(7);
  expect(level(4.48 / 1.42)).toBe(8);
});

test('a layer from level 7 is on screen up to 1:22,627 and asks nothing below', () => {
  const layer = { first_level: { CityGrid: 7 } } as unknown as LayerInfo;
  const limit = coarsestResolution(grid, 7)!;
  expect(limit / 0.00028).toBeCloseTo(22627.417, 3);
  expect(detailAt(grid, layer, limit)).toBe('none');
  expect(detailAt(grid, { ...layer, overview: true }, limit)).toBe('overview');
  expect(detailAt(grid, { ...layer, overview: true }, limit * 0.999)).toBe('full');
  expect(detailAt(grid, layer, limit * 0.999)).toBe('full');
  expect(createTileGrid(grid, 7).getZForResolution(100, nearerLevel)).toBe(7);
  expect(firstResolution(grid, layer)).toBeCloseTo(4.48, 9);
});

test('a layer of all levels has no limit', () => {
  const layer = { first_level: { CityGrid: null } } as unknown as LayerInfo;
  expect(coarsestResolution(grid, null)).toBeUndefined();
  expect(detailAt(grid, layer, 1e6)).toBe('full');
});
