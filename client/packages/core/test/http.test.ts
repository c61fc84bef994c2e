import { expect, test, vi } from 'vitest';

import { Http } from '../src/api/http';
import { ApiError } from '../src/api/problem';

function http(answer: () => Response | Promise<Response>): { http: Http; fetch: ReturnType<typeof vi.fn>; contact: boolean[] } {
  const contact: boolean[] = [];
  const fetch = vi.fn(async () => answer());
  const settings = { language: () => 'en', csrfToken: () => 'token', onContact: (reached: boolean) => contact.push(reached) };
  return { http: new Http({ ...settings, fetch: fetch as unknown as typeof globalThis.fetch }), fetch, contact };
}

const problem = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });

test('a conditional request sends the tag and takes 304 as "unchanged"', async () => {
  const { http: client, fetch } = http(() => new Response(null, { status: 304, headers: { ETag: '"a"' } }));
  const answer = await client.get('/api/layers', { etag: '"a"' });
  expect(answer).toEqual({ body: null, status: 304, etag: '"a"' });
  expect(fetch.mock.calls[0]?.[1].headers['If-None-Match']).toBe('"a"');
});

test('a write carries the CSRF token, JSON and the language', async () => {
  const { http: client, fetch } = http(() => Response.json({}));
  await client.post('/api/login', { username: 'lin' });
  expect(fetch.mock.calls[0]?.[1].headers).toMatchObject({
    'X-CSRFToken': 'token',
    'Accept-Language': 'en',
    'X-Requested-With': 'XMLHttpRequest',
  });
  expect(fetch.mock.calls[0]?.[1].body).toBe('{"username":"lin"}');
});

test('a refusal keeps the words and the code of the server', async () => {
  const { http: client, contact } = http(() => problem(429, { code: 'login-throttled', detail: 'too many' }, { 'Retry-After': '30' }));
  const failure = await client.post('/api/login', {}).catch((cause: unknown) => cause);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ kind: 'throttled', retryAfter: 30, problem: { code: 'login-throttled', status: 429 } });
  expect(contact).toEqual([true]);
});

test.each([
  [401, 'expired'],
  [403, 'denied'],
  [404, 'missing'],
  [400, 'refused'],
  [500, 'server'],
  [503, 'server'],
])('status %i means %s', async (status, kind) => {
  const { http: client } = http(() => problem(status, {}));
  await expect(client.get('/api/x')).rejects.toMatchObject({ kind });
});

test("a proxy's HTML page is still an error with a code", async () => {
  const { http: client } = http(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
  await expect(client.get('/api/x')).rejects.toMatchObject({ kind: 'server', problem: { code: 'http-502' } });
});

test('no answer is "offline", and the page is told', async () => {
  const { http: client, contact } = http(() => Promise.reject(new TypeError('Failed to fetch')));
  await expect(client.get('/api/x')).rejects.toMatchObject({ kind: 'offline', problem: { code: 'network' } });
  expect(contact).toEqual([false]);
});

test("the caller's own abort is not the server being away", async () => {
  const stop = new AbortController();
  const { http: client, contact } = http(() => {
    stop.abort();
    throw new DOMException('aborted', 'AbortError');
  });
  await expect(client.get('/api/x', { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect(contact).toEqual([]);
});
