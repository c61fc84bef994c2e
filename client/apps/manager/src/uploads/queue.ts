import { asApiError, createStore, type ApiError, type Store } from '@onemap/core';

import type { UploadServer } from '../api/uploads';
import type { Chosen } from './choosing';
import type { Hasher } from './hasher';
import type { Memory } from './memory';
import { sendFile } from './sending';

export type UploadPhase = 'waiting' | 'hashing' | 'sending' | 'stalled' | 'paused' | 'done' | 'failed';

export interface UploadItem {
  id: number;
  name: string;
  size: number;
  phase: UploadPhase;
  /** Bytes digested. */
  hashed: number;
  /** Bytes the server has. */
  sent: number;
  token: string | null;
  error: ApiError | null;
}

export interface QueueState {
  items: UploadItem[];
}

export interface QueueParts {
  server: UploadServer;
  hasher: Hasher;
  memory: Memory;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface UploadQueue {
  store: Store<QueueState>;
  add: (files: Chosen[]) => void;
  /** Stop what is under way; nothing that arrived is lost. */
  pauseAll: () => void;
  resumeAll: () => void;
  remove: (id: number) => void;
  clear: () => void;
}

interface Held {
  file: File;
  sha256: string | null;
  work: AbortController | null;
}

const AT_ONCE = 2;
const OPEN: ReadonlySet<UploadPhase> = new Set(['waiting', 'hashing', 'sending', 'stalled']);
const RUNNING: ReadonlySet<UploadPhase> = new Set(['hashing', 'sending', 'stalled']);

/** The files of a delivery on their way: two at a time, each digested, sent and acknowledged. */
export function createQueue(parts: QueueParts): UploadQueue {
  const store = createStore<QueueState>({ items: [] });
  const held = new Map<number, Held>();
  let last = 0;
  const items = (): UploadItem[] => store.get().items;
  const change = (id: number, patch: Partial<UploadItem>): void =>
    store.set({ items: items().map((item) => (item.id === id ? { ...item, ...patch } : item)) });
  const pump = (): void => {
    const free = AT_ONCE - items().filter(({ phase }) => RUNNING.has(phase)).length;
    for (const item of items().filter(({ phase }) => phase === 'waiting').slice(0, Math.max(0, free))) start(item);
  };
  const start = (item: UploadItem): void => {
    const own = held.get(item.id)!;
    const work = (own.work = new AbortController());
    change(item.id, { phase: 'hashing', error: null });
    run(parts, item, own, (patch) => !work.signal.aborted && change(item.id, patch))
      .then((token) => !work.signal.aborted && change(item.id, { phase: 'done', sent: item.size, token }))
      .catch((cause: unknown) => !work.signal.aborted && change(item.id, { phase: 'failed', error: asApiError(cause) }))
      .finally(() => work.signal.aborted || pump());
  };
  const stop = (id: number): void => held.get(id)?.work?.abort();
  return {
    store,
    add(files) {
      const known = new Set(items().map(({ name }) => name));
      const fresh = files.filter(({ name }) => !known.has(name));
      const made = fresh.map(({ name, file }): UploadItem => {
        const id = (last += 1);
        held.set(id, { file, sha256: null, work: null });
        return { id, name, size: file.size, phase: 'waiting', hashed: 0, sent: 0, token: null, error: null };
      });
      store.set({ items: [...items(), ...made] });
      pump();
    },
    pauseAll() {
      for (const { id, phase } of items()) if (RUNNING.has(phase)) stop(id);
      store.set({ items: items().map((item) => (OPEN.has(item.phase) ? { ...item, phase: 'paused' } : item)) });
    },
    resumeAll() {
      const resumed = (item: UploadItem): boolean => item.phase === 'paused' || item.phase === 'failed';
      store.set({ items: items().map((item) => (resumed(item) ? { ...item, phase: 'waiting' } : item)) });
      pump();
    },
    remove(id) {
      stop(id);
      const gone = items().find((item) => item.id === id);
      if (gone) parts.memory.forget(new Set([gone.name]));
      if (gone?.token) parts.server.cancel(gone.token).catch(() => undefined);
      held.delete(id);
      store.set({ items: items().filter((item) => item.id !== id) });
      pump();
    },
    clear() {
      for (const { id } of items()) stop(id);
      parts.memory.forget(new Set(items().map(({ name }) => name)));
      held.clear();
      store.set({ items: [] });
    },
  };
}

/** One file: digested (unless that is remembered), announced, sent. */
async function run(
  { server, hasher, memory, pause }: QueueParts,
  item: UploadItem,
  own: Held,
  tell: (patch: Partial<UploadItem>) => unknown,
): Promise<string> {
  const { signal } = own.work!;
  const { file } = own;
  own.sha256 ??= memory.find(item.name, file.size, file.lastModified)?.sha256 ?? null;
  own.sha256 ??= await hasher(file, (hashed) => tell({ hashed }), signal);
  tell({ phase: 'sending', hashed: item.size });
  const sha256 = own.sha256;
  return sendFile(server, { name: item.name, size: file.size, sha256, bytes: file }, {
    signal,
    pause,
    onBegin(token) {
      memory.keep({ name: item.name, size: file.size, modified: file.lastModified, sha256, token });
      tell({ token });
    },
    onSent: (sent) => tell({ sent }),
    onStalled: (error) => tell({ phase: error ? 'stalled' : 'sending', error }),
  });
}

export interface Totals {
  files: number;
  done: number;
  failed: number;
  paused: number;
  bytes: number;
  sent: number;
}

/** What the list adds up to. */
export function totalsOf(items: readonly UploadItem[]): Totals {
  const of = (phase: UploadPhase): number => items.filter((item) => item.phase === phase).length;
  return {
    files: items.length,
    done: of('done'),
    failed: of('failed'),
    paused: of('paused'),
    bytes: items.reduce((sum, { size }) => sum + size, 0),
    sent: items.reduce((sum, { sent }) => sum + sent, 0),
  };
}
