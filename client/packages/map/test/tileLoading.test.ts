import { expect, test } from 'vitest';

import { TileLedger, tileMark, type TileStatus } from '../src/tileLoading';

const status = (loaded: number, failed: number, lastFailure: number | null = failed ? 503 : null): TileStatus => ({
  pending: 0,
  loaded,
  failed,
  lastFailure,
});

test('some tiles missing is a warning, half of them an error', () => {
  expect(tileMark(status(10, 0))).toBe('ok');
  expect(tileMark(status(10, 1))).toBe('warning');
  expect(tileMark(status(5, 5))).toBe('error');
  expect(tileMark(status(0, 1))).toBe('error');
});

test.each([401, 403, 404])('%i means the layer may no longer be seen', (code) => {
  expect(tileMark(status(10, 1, code))).toBe('denied');
});

test('a tile that comes at the second try is no longer a failure', () => {
  const seen: TileStatus[] = [];
  const ledger = new TileLedger((now) => seen.push(now));
  ledger.started();
  ledger.failed('/a', 503);
  ledger.started();
  ledger.loaded('/a');
  expect(seen.map(({ pending, loaded, failed }) => [pending, loaded, failed])).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [1, 0, 1],
    [0, 1, 0],
  ]);
});

test('clearing forgets answers but not requests under way', () => {
  const ledger = new TileLedger(() => undefined);
  ledger.started();
  ledger.started();
  ledger.failed('/a', 0);
  ledger.clear();
  expect(ledger.status()).toEqual({ pending: 1, loaded: 0, failed: 0, lastFailure: null });
});
