import { expect, test, vi } from 'vitest';

import { fromInput, isLitter, sourcesOf } from '../src/uploads/choosing';
import { createMemory } from '../src/uploads/memory';
import { createQueue, totalsOf, type QueueParts } from '../src/uploads/queue';

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

function parts(kept = storage()): QueueParts & { hashed: number } {
  const made = {
    hashed: 0,
    memory: createMemory(kept),
    pause: () => Promise.resolve(),
    hasher: () => {
      made.hashed += 1;
      return Promise.resolve('a'.repeat(64));
    },
    server: {
      begin: (name: string) => Promise.resolve({ token: `t-${name}`, offset: 0, chunk: 1024, complete: false }),
      look: () => Promise.resolve({ offset: 0, complete: false }),
      send: (_token: string, offset: number, piece: Blob) => Promise.resolve({ offset: offset + piece.size, complete: true }),
      cancel: () => Promise.resolve(),
    },
  };
  return made;
}

const file = (name: string, text = 'x'): { name: string; file: File } => ({ name, file: new File([text], name, { lastModified: 1 }) });

test('all files arrive and keep their tokens', async () => {
  const queue = createQueue(parts());
  queue.add([file('a/DLTB.shp'), file('a/DLTB.dbf'), file('a/XZQ.shp')]);
  await vi.waitFor(() => expect(totalsOf(queue.store.get().items).done).toBe(3));
  expect(queue.store.get().items.map(({ token }) => token)).toEqual(['t-a/DLTB.shp', 't-a/DLTB.dbf', 't-a/XZQ.shp']);
});

test('the same name is not added twice', () => {
  const queue = createQueue(parts());
  queue.add([file('a')]);
  queue.add([file('a'), file('b')]);
  expect(queue.store.get().items.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('after loading the page anew the digest is remembered', async () => {
  const kept = storage();
  const before = createQueue(parts(kept));
  before.add([file('a')]);
  await vi.waitFor(() => expect(totalsOf(before.store.get().items).done).toBe(1));
  const again = parts(kept);
  expect(again.memory.all().map(({ name }) => name)).toEqual(['a']);
  const after = createQueue(again);
  after.add([file('a')]);
  await vi.waitFor(() => expect(totalsOf(after.store.get().items).done).toBe(1));
  expect(again.hashed).toBe(0);
});

test('paused files stay where they are until they go on', async () => {
  const slow = parts();
  let let_go: (digest: string) => void = () => undefined;
  slow.hasher = () => new Promise((resolve) => (let_go = resolve));
  const queue = createQueue(slow);
  queue.add([file('a')]);
  queue.pauseAll();
  let_go('b'.repeat(64));
  await Promise.resolve();
  expect(queue.store.get().items[0]?.phase).toBe('paused');
  slow.hasher = () => Promise.resolve('b'.repeat(64));
  queue.resumeAll();
  await vi.waitFor(() => expect(totalsOf(queue.store.get().items).done).toBe(1));
});

test('what is kept too long or is no memory of ours is forgotten', () => {
  const kept = storage();
  createMemory(kept, () => 0).keep({ name: 'old', size: 1, modified: 1, sha256: 'a', token: 't' });
  expect(createMemory(kept, () => 8 * 86_400_000).all()).toEqual([]);
  kept.setItem('onemap.uploads', '{"not": "a list"}');
  expect(createMemory(kept).all()).toEqual([]);
});

test('data sets are named as a delivery names them', () => {
  expect(sourcesOf(['y/DLTB.shp', 'y/DLTB.dbf', 'y/s.gdb/a1.gdbtable', 'y/s.gdb/a2.gdbtable', 'y/dem.tif', 'y/z.zip'])).toEqual(['DLTB', 's', 'dem', '*']);
});

test('what systems leave behind is not sent', () => {
  expect(['a/.DS_Store', 'Thumbs.db', '__MACOSX/x', '~$a.xlsx', 'a/b.shp'].filter(isLitter)).toHaveLength(4);
  expect(fromInput([new File([], '.hidden'), new File([], 'seen')]).map(({ name }) => name)).toEqual(['seen']);
});
