import { expect, test, vi } from 'vitest';

import { OnemapApi } from '../src/api/client';
import type { Http } from '../src/api/http';

function api(body: unknown): { api: OnemapApi; get: ReturnType<typeof vi.fn> } {
  const get = vi.fn(async () => ({ body, status: 200, etag: null }));
  return { api: new OnemapApi({ get } as unknown as Http), get };
}

const signal = new AbortController().signal;

test('identify asks with metres in the CRS of the map', async () => {
  const { api: client, get } = api({ hits: [] });
  await client.identify({ at: [506171.99912, 2493598.04412], crs: 'EPSG:4547', tolerance: 3.36, layers: ['road', 'building'] }, signal);
  expect(get).toHaveBeenCalledWith('/api/identify', {
    query: { x: '506171.9991', y: '2493598.0441', crs: 'EPSG:4547', tolerance: '3.360', layers: 'road,building' },
    signal,
  });
});

test('a next link never leaves the site, whatever host it names', async () => {
  const { api: client, get } = api({ features: [], numberReturned: 0 });
  await client.page('http://elsewhere.example/ogc/collections/road/items?after=abc', signal);
  expect(get).toHaveBeenCalledWith('/ogc/collections/road/items?after=abc', { signal });
});
