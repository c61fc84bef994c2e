import { get as getProjection } from 'ol/proj';
import { beforeAll, expect, test } from 'vitest';

import { MAP_INFO } from '@onemap/testing';
import { fromLonLat, grow, registerCrs, toLonLat } from '../src/crs';

beforeAll(() => registerCrs(MAP_INFO.crs));

test('a point in Futian has the coordinates that PROJ computes', () => {
  // pyproj 3.7, EPSG:4490 → EPSG:4547, always_xy.
  const [east, north] = fromLonLat([114.06, 22.54], 'EPSG:4547');
  expect(east).toBeCloseTo(506171.999, 3);
  expect(north).toBeCloseTo(2493598.044, 3);
});

test('there and back is the same place to a tenth of a millimetre', () => {
  const [east, north] = fromLonLat(toLonLat([563000, 2529000], 'EPSG:4547'), 'EPSG:4547');
  expect(Math.hypot(east - 563000, north - 2529000)).toBeLessThan(1e-4);
});

test('requests are written north first, coordinates stay east first', () => {
  expect(getProjection('EPSG:4547')?.getAxisOrientation()).toBe('neu');
  expect(toLonLat([500000, 2493598], 'EPSG:4547')[0]).toBeCloseTo(114, 9);
});

test('growing a box keeps its middle', () => {
  expect(grow([0, 0, 10, 20], 0.5)).toEqual([-5, -10, 15, 30]);
});
