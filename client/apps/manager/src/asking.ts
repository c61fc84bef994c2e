import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

import { createPoll, createTask, IDLE, type RequestState } from '@onemap/core';

export interface Asking<T> {
  state: ShallowRef<RequestState>;
  answer: ShallowRef<T | null>;
  /** Ask; what was there before stays on screen until the answer comes. */
  run: (work?: (signal: AbortSignal) => Promise<T>) => Promise<void>;
  cancel: () => void;
}

/** A place on a screen that shows what the server says. */
export function useAsking<T>(work: (signal: AbortSignal) => Promise<T>, isEmpty: (answer: T) => boolean = () => false): Asking<T> {
  const state = shallowRef<RequestState>(IDLE);
  const answer: ShallowRef<T | null> = shallowRef(null);
  const task = createTask<T>({
    onState: (next) => (state.value = next),
    onAnswer: (found) => (answer.value = found),
    isEmpty,
  });
  onScopeDispose(task.cancel);
  return { state, answer, run: (other = work) => task.run(other), cancel: task.cancel };
}

/** Ask again and again while the screen is there and somebody looks. */
export function usePolling(everyMs: number, work: () => Promise<void>): void {
  const poll = createPoll({ everyMs, work, isHidden: () => document.hidden });
  const now = (): void => void (document.hidden || poll.now());
  document.addEventListener('visibilitychange', now);
  onScopeDispose(() => {
    poll.stop();
    document.removeEventListener('visibilitychange', now);
  });
}
