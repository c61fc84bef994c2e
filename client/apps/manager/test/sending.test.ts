import { ApiError } from '@onemap/core';
import { expect, test } from 'vitest';

import type { Began, Reached, UploadServer } from '../src/api/uploads';
import { sendFile, type SendingWatch } from '../src/uploads/sending';

const PIECE = 256 * 1024;
const CONTENT = new Blob([new Uint8Array(3 * PIECE + 17).map((_, index) => index % 251)]);

/** A server that keeps bytes as ours does, and fails when it is told to. */
class Shelf implements UploadServer {
  bytes = new Uint8Array();
  readonly asked: string[] = [];
  troubles: (ApiError | 'lost' | null)[] = [];
  wrongDigests = 0;

  begin(): Promise<Began> {
    return Promise.resolve({ token: 'one', offset: this.bytes.length, chunk: PIECE, complete: this.whole });
  }

  look(): Promise<Reached> {
    this.asked.push(`look ${this.bytes.length}`);
    return Promise.resolve({ offset: this.bytes.length, complete: this.whole });
  }

  async send(_token: string, offset: number, piece: Blob): Promise<Reached> {
    this.asked.push(`send ${offset}`);
    const trouble = this.troubles.shift() ?? null;
    if (trouble instanceof ApiError) throw trouble;
    if (offset !== this.bytes.length) throw refused(409, 'upload-offset', { offset: this.bytes.length });
    const added = new Uint8Array(await piece.arrayBuffer());
    this.bytes = Uint8Array.from([...this.bytes, ...added]);
    if (trouble === 'lost') throw new ApiError('offline', { status: 0, code: 'network' });
    if (this.bytes.length === CONTENT.size && this.wrongDigests > 0) {
      this.wrongDigests -= 1;
      this.bytes = new Uint8Array();
      throw refused(422, 'upload-digest', { offset: 0 });
    }
    return { offset: this.bytes.length, complete: this.whole };
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }

  private get whole(): boolean {
    return this.bytes.length === CONTENT.size;
  }
}

function refused(status: number, code: string, facts: Record<string, unknown> = {}): ApiError {
  return new ApiError('refused', { status, code, facts });
}

function watching(): SendingWatch & { sent: number[]; stalled: number } {
  const watch = {
    sent: [] as number[],
    stalled: 0,
    signal: new AbortController().signal,
    onBegin: () => undefined,
    onSent: (bytes: number) => void watch.sent.push(bytes),
    onStalled: (error: ApiError | null) => void (watch.stalled += error ? 1 : 0),
    pause: () => Promise.resolve(),
  };
  return watch;
}

const FILE = { name: 'DLTB.zip', size: CONTENT.size, sha256: '0'.repeat(64), bytes: CONTENT };

async function arrived(shelf: Shelf): Promise<boolean> {
  const wanted = new Uint8Array(await CONTENT.arrayBuffer());
  return wanted.every((byte, index) => byte === shelf.bytes[index]) && wanted.length === shelf.bytes.length;
}

test('pieces arrive in order', async () => {
  const shelf = new Shelf();
  const watch = watching();
  expect(await sendFile(shelf, FILE, watch)).toBe('one');
  expect(watch.sent).toEqual([0, PIECE, 2 * PIECE, 3 * PIECE, CONTENT.size]);
  expect(await arrived(shelf)).toBe(true);
});

test('a file half sent goes on where it was, a whole one is not sent again', async () => {
  const shelf = new Shelf();
  shelf.bytes = new Uint8Array(await CONTENT.slice(0, PIECE).arrayBuffer());
  await sendFile(shelf, FILE, watching());
  expect(shelf.asked[0]).toBe(`send ${PIECE}`);
  shelf.asked.length = 0;
  await sendFile(shelf, FILE, watching());
  expect(shelf.asked).toEqual([]);
});

test('a lost answer is asked for, never sent twice', async () => {
  const shelf = new Shelf();
  shelf.troubles = [null, 'lost'];
  const watch = watching();
  await sendFile(shelf, FILE, watch);
  expect(shelf.asked).toContain(`look ${2 * PIECE}`);
  expect(watch.stalled).toBe(1);
  expect(await arrived(shelf)).toBe(true);
});

test('the true offset of another window is followed', async () => {
  const shelf = new Shelf();
  const began = shelf.begin.bind(shelf);
  shelf.begin = async () => ({ ...(await began()), offset: 0 });
  shelf.bytes = new Uint8Array(await CONTENT.slice(0, 2 * PIECE).arrayBuffer());
  await sendFile(shelf, FILE, watching());
  expect(shelf.asked.slice(0, 2)).toEqual(['send 0', `send ${2 * PIECE}`]);
});

test('other contents than announced are sent once more, then given up', async () => {
  const once = new Shelf();
  once.wrongDigests = 1;
  await sendFile(once, FILE, watching());
  expect(await arrived(once)).toBe(true);
  const always = new Shelf();
  always.wrongDigests = 2;
  await expect(sendFile(always, FILE, watching())).rejects.toMatchObject({ problem: { code: 'upload-digest' } });
});

test.each([429, 507, 413])('a refusal with status %d is told, not repeated', async (status) => {
  const shelf = new Shelf();
  shelf.troubles = [new ApiError(status === 429 ? 'throttled' : status === 507 ? 'server' : 'refused', { status, code: 'x' })];
  await expect(sendFile(shelf, FILE, watching())).rejects.toMatchObject({ problem: { status } });
  expect(shelf.asked).toEqual(['send 0']);
});
