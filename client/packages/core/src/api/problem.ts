import type { Problem } from './types';

/** What a failed request means to the person at the screen. */
export type FailureKind = 'offline' | 'denied' | 'expired' | 'missing' | 'throttled' | 'refused' | 'server';

/** A request that did not succeed, with the server's own words where it gave any. */
export class ApiError extends Error {
  readonly kind: FailureKind;
  readonly problem: Problem;
  /** Seconds to wait before another try, when the server named a time. */
  readonly retryAfter: number | null;

  constructor(kind: FailureKind, problem: Problem, retryAfter: number | null = null) {
    super(problem.detail ?? problem.title ?? problem.code);
    this.name = 'ApiError';
    this.kind = kind;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

const KIND_OF_STATUS: Record<number, FailureKind> = {
  401: 'expired',
  403: 'denied',
  404: 'missing',
  410: 'missing',
  429: 'throttled',
  502: 'server',
  503: 'server',
  504: 'server',
};

export function failureKind(status: number): FailureKind {
  return KIND_OF_STATUS[status] ?? (status >= 500 ? 'server' : 'refused');
}

/** No answer came at all: cable, server down, or the time limit of this client. */
export function unreachable(code: 'network' | 'timeout'): ApiError {
  return new ApiError('offline', { status: 0, code });
}

/** Anything thrown, as an ApiError; aborts are the caller's own wish and stay what they are. */
export function asApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new ApiError('refused', { status: 0, code: 'client', detail: text });
}

function retrySeconds(header: string | null): number | null {
  const seconds = Number(header);
  return header !== null && Number.isFinite(seconds) ? seconds : null;
}

/** Read a refusal; a body that is not problem+json (a proxy's HTML page) still yields a usable error. */
export async function refusal(response: Response): Promise<ApiError> {
  const kind = failureKind(response.status);
  const fallback: Problem = { status: response.status, code: `http-${response.status}` };
  const retry = retrySeconds(response.headers.get('Retry-After'));
  if (!/json/.test(response.headers.get('Content-Type') ?? '')) return new ApiError(kind, fallback, retry);
  try {
    const body = (await response.json()) as Partial<Problem>;
    return new ApiError(kind, { ...fallback, ...body }, retry);
  } catch {
    return new ApiError(kind, fallback, retry);
  }
}
