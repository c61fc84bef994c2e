import { asApiError, type ApiError } from '@onemap/core';

import type { Began, Reached, UploadServer } from '../api/uploads';

const SMALLEST_PIECE = 128 * 1024;
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;

export interface Outgoing {
  name: string;
  size: number;
  sha256: string;
  bytes: Blob;
}

export interface SendingWatch {
  signal: AbortSignal;
  onBegin: (token: string) => void;
  /** Bytes the server has acknowledged. */
  onSent: (bytes: number) => void;
  /** The line is down; another try follows by itself. */
  onStalled: (error: ApiError | null) => void;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Course extends Began {
  piece: number;
  failures: number;
  begunAnew: boolean;
}

/** Failures after which the same request may succeed later. */
function isPassing(error: ApiError): boolean {
  return error.kind === 'offline' || (error.kind === 'server' && error.problem.status !== 507);
}

/**
 * Send a file to its end, from wherever the server has it, and return its token.
 *
 * A lost line is waited out; another window that sends the same file is followed, for the server names the true offset;
 * contents that arrived otherwise than announced are sent once more from the beginning.
 */
export async function sendFile(server: UploadServer, file: Outgoing, watch: SendingWatch): Promise<string> {
  const began = await patiently(watch, () => server.begin(file.name, file.size, file.sha256, watch.signal));
  watch.onBegin(began.token);
  watch.onSent(began.offset);
  const course: Course = { ...began, piece: began.chunk, failures: 0, begunAnew: false };
  while (!course.complete) {
    const { offset, complete } = await step(server, file, course, watch);
    course.offset = offset;
    course.complete = complete;
    watch.onSent(offset);
  }
  return course.token;
}

async function step(server: UploadServer, file: Outgoing, course: Course, watch: SendingWatch): Promise<Reached> {
  try {
    const piece = file.bytes.slice(course.offset, course.offset + course.piece);
    const reached = await server.send(course.token, course.offset, piece, watch.signal);
    course.failures = 0;
    watch.onStalled(null);
    return reached;
  } catch (cause) {
    if (watch.signal.aborted) throw cause;
    return mend(server, asApiError(cause), course, watch);
  }
}

/** Where to go on after a piece was not taken. */
async function mend(server: UploadServer, error: ApiError, course: Course, watch: SendingWatch): Promise<Reached> {
  if (error.problem.status === 409) return { offset: Number(error.problem.facts?.offset ?? 0), complete: false };
  if (error.problem.code === 'upload-digest' && !course.begunAnew) {
    course.begunAnew = true;
    return { offset: 0, complete: false };
  }
  if (!isPassing(error)) throw error;
  // A slow line is why requests run out of time: smaller pieces get through.
  course.piece = Math.max(SMALLEST_PIECE, Math.floor(course.piece / 2));
  watch.onStalled(error);
  await watch.pause(pauseOf((course.failures += 1)), watch.signal);
  return patiently(watch, () => server.look(course.token, watch.signal));
}

async function patiently<T>(watch: SendingWatch, ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      const answer = await ask();
      watch.onStalled(null);
      return answer;
    } catch (cause) {
      const error = asApiError(cause);
      if (watch.signal.aborted || !isPassing(error)) throw cause;
      watch.onStalled(error);
      await watch.pause(pauseOf(failures), watch.signal);
    }
  }
}

function pauseOf(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}

/** Wait; an abort ends the waiting, and so does the network coming back. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    signal.addEventListener('abort', () => {
      end();
      reject(new DOMException('aborted', 'AbortError'));
    });
  });
}
