import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Bytes read at once: a file of any size is digested in flat memory. */
const SLICE = 4 * 2 ** 20;

export interface HashAsked {
  id: number;
  file: Blob;
}

export type HashTold = { id: number; done: number } | { id: number; digest: string } | { id: number; failed: string };

const tell = (message: HashTold): void => self.postMessage(message);

async function digestOf({ id, file }: HashAsked): Promise<void> {
  const digest = sha256.create();
  for (let at = 0; at < file.size; at += SLICE) {
    digest.update(new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer()));
    tell({ id, done: Math.min(at + SLICE, file.size) });
  }
  tell({ id, digest: bytesToHex(digest.digest()) });
}

self.addEventListener('message', ({ data }: MessageEvent<HashAsked>) => {
  digestOf(data).catch((cause: unknown) => tell({ id: data.id, failed: String(cause) }));
});
