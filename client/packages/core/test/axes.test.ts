import { expect, test } from 'vitest';

import { bboxParameters, crsUri, isNorthFirst } from '../src/axes';

test('the Gauss-Kruger zones and the geographic systems put north first', () => {
  expect(['EPSG:4326', 'EPSG:4490', 'EPSG:4491', 'EPSG:4526', 'EPSG:4547', 'EPSG:4554'].every(isNorthFirst)).toBe(true);
  expect(['EPSG:3857', 'EPSG:32650', 'EPSG:4489', 'EPSG:4555'].some(isNorthFirst)).toBe(false);
});

test('a box in the city plane is sent north before east', () => {
  expect(bboxParameters([505000, 2493000, 506000, 2494000.5], 'EPSG:4547')).toEqual({
    bbox: '2493000.000,505000.000,2494000.500,506000.000',
    'bbox-crs': 'http://www.opengis.net/def/crs/EPSG/0/4547',
  });
});

test('a box in Web Mercator keeps its order', () => {
  expect(bboxParameters([1, 2, 3, 4], 'EPSG:3857').bbox).toBe('1.000,2.000,3.000,4.000');
  expect(crsUri('EPSG:3857')).toBe('http://www.opengis.net/def/crs/EPSG/0/3857');
});
