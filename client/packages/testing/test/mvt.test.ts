import MVT from 'ol/format/MVT';
import { expect, test } from 'vitest';

import { encodeTile } from '../src/mvt';
import { FEATURES } from '../src/city';

test('the tiles of the stand-in server are read by the map, with ids, names and label points', () => {
  const feature = FEATURES.building![0]!;
  const [x0, y0] = feature.box;
  const tile = encodeTile('building', [feature], 'name', [x0 - 100, y0 - 100, x0 + 412, y0 + 412]);
  const read = new MVT().readFeatures(new Uint8Array(tile).buffer);
  expect(read.map((one) => [one.get('layer'), one.getId(), one.getType(), one.get('name') ?? one.get('text')])).toEqual([
    ['building', feature.fid, 'Polygon', '创业花园1栋'],
    ['label', feature.fid, 'Point', '创业花园1栋'],
  ]);
});
