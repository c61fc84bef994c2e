import type { HashTold } from './hash.worker';

/** Digest a file (SHA-256, hexadecimal) without holding it in memory; `onDone` tells the bytes read. */
export type Hasher = (file: Blob, onDone: (bytes: number) => void, signal: AbortSignal) => Promise<string>;

/** One worker; files are digested one after the other as they are asked for. */
export function createHasher(): Hasher {
  let worker: Worker | null = null;
  let count = 0;
  return (file, onDone, signal) =>
    new Promise((resolve, reject) => {
      worker ??= new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' });
      const mine = worker;
      const id = (count += 1);
      const end = (): void => mine.removeEventListener('message', hear);
      const hear = ({ data }: MessageEvent<HashTold>): void => {
        if (data.id !== id) return;
        if ('done' in data) return onDone(data.done);
        end();
        if ('digest' in data) resolve(data.digest);
        else reject(new Error(data.failed));
      };
      mine.addEventListener('message', hear);
      signal.addEventListener('abort', () => {
        end();
        reject(new DOMException('aborted', 'AbortError'));
      });
      mine.postMessage({ id, file });
    });
}
