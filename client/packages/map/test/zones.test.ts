import proj4 from 'proj4';
import { expect, test } from 'vitest';

import { boxPolygon } from '../src/crs';
import { zoneDefinition } from '../src/zones';

// The EPSG database's central meridians and eastings.
test.each([
  ['EPSG:4547', 114, 500_000],
  ['EPSG:4526', 114, 38_500_000],
  ['EPSG:4511', 129, 500_000],
  ['EPSG:4491', 75, 13_500_000],
  ['EPSG:2383', 114, 500_000],
  ['EPSG:2362', 114, 38_500_000],
  ['EPSG:2435', 114, 500_000],
  ['EPSG:2414', 114, 38_500_000],
])('%s has the meridian %d and the easting %d', (code, meridian, easting) => {
  expect(zoneDefinition(code)).toContain(`+lon_0=${meridian} `);
  expect(zoneDefinition(code)).toContain(`+x_0=${easting} `);
});

test('what is no zone has no definition', () => {
  expect(zoneDefinition('EPSG:9999')).toBeNull();
  expect(boxPolygon([0, 0, 1, 1], 'EPSG:9999')).toBeNull();
});

test('a box of zone 38 is laid where it belongs', () => {
  const [x, y] = proj4(zoneDefinition('EPSG:4526')!).forward([114.06, 22.54]) as [number, number];
  const polygon = boxPolygon([x, y, x + 1000, y + 1000], 'EPSG:4526');
  const [first] = (polygon!.coordinates as number[][][])[0]!;
  expect(first![0]).toBeCloseTo(114.06, 6);
  expect(first![1]).toBeCloseTo(22.54, 6);
});
