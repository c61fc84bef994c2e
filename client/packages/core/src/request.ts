import { asApiError, type ApiError } from './api/problem';

/** Nothing is shown before this, so that quick answers do not flicker. */
export const SHOW_LOADING_MS = 300;
/** After this the page says it is still at it and offers to stop. */
export const STILL_LOADING_MS = 10_000;

export type Phase = 'idle' | 'pending' | 'loading' | 'still' | 'ready' | 'empty' | 'error' | 'offline' | 'denied';

export interface RequestState {
  phase: Phase;
  error: ApiError | null;
}

export type RequestEvent =
  | { type: 'start' }
  | { type: 'slow' }
  | { type: 'very-slow' }
  | { type: 'cancel' }
  | { type: 'answer'; empty: boolean }
  | { type: 'fail'; error: ApiError };

export const IDLE: RequestState = { phase: 'idle', error: null };

const WAITING: ReadonlySet<Phase> = new Set(['pending', 'loading', 'still']);

export function isWaiting(state: RequestState): boolean {
  return WAITING.has(state.phase);
}

function failed(error: ApiError): RequestState {
  if (error.kind === 'offline') return { phase: 'offline', error };
  const denied = error.kind === 'denied' || error.kind === 'expired';
  return { phase: denied ? 'denied' : 'error', error };
}

type Waited = { [Type in RequestEvent['type']]: (event: Extract<RequestEvent, { type: Type }>) => RequestState };

const PENDING: RequestState = { phase: 'pending', error: null };

/** What an event makes of a request that is under way. */
const AFTER: Waited = {
  start: () => PENDING,
  slow: () => ({ phase: 'loading', error: null }),
  'very-slow': () => ({ phase: 'still', error: null }),
  cancel: () => IDLE,
  answer: ({ empty }) => ({ phase: empty ? 'empty' : 'ready', error: null }),
  fail: ({ error }) => failed(error),
};

/** What a request looks like after an event; an event that does not fit the state changes nothing. */
export function transition(state: RequestState, event: RequestEvent): RequestState {
  const late = event.type === 'slow' && state.phase === 'still';
  if (late || (event.type !== 'start' && !isWaiting(state))) return state;
  return (AFTER[event.type] as (event: RequestEvent) => RequestState)(event);
}

export interface Task<T> {
  /** Start anew; a run still under way is aborted and its answer ignored. */
  run: (work: (signal: AbortSignal) => Promise<T>) => Promise<void>;
  cancel: () => void;
}

export interface TaskSettings<T> {
  onState: (state: RequestState) => void;
  onAnswer: (answer: T) => void;
  isEmpty: (answer: T) => boolean;
}

/** Drives the state machine for one place on the page that asks the server again and again. */
export function createTask<T>(settings: TaskSettings<T>): Task<T> {
  let state = IDLE;
  let current: AbortController | null = null;
  let timers: ReturnType<typeof setTimeout>[] = [];
  const apply = (event: RequestEvent): void => {
    const next = transition(state, event);
    if (next === state) return;
    state = next;
    settings.onState(state);
  };
  const stop = (): void => {
    timers.forEach(clearTimeout);
    current?.abort();
    current = null;
  };
  return {
    cancel() {
      stop();
      apply({ type: 'cancel' });
    },
    async run(work) {
      stop();
      const mine = (current = new AbortController());
      apply({ type: 'start' });
      timers = [
        setTimeout(() => apply({ type: 'slow' }), SHOW_LOADING_MS),
        setTimeout(() => apply({ type: 'very-slow' }), STILL_LOADING_MS),
      ];
      try {
        const answer = await work(mine.signal);
        if (current !== mine) return;
        settings.onAnswer(answer);
        apply({ type: 'answer', empty: settings.isEmpty(answer) });
      } catch (cause) {
        if (current === mine) apply({ type: 'fail', error: asApiError(cause) });
      } finally {
        if (current === mine) timers.forEach(clearTimeout);
      }
    },
  };
}
