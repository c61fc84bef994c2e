import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { ApiError, unreachable } from '../src/api/problem';
import { createTask, IDLE, isWaiting, transition, type Phase, type RequestEvent, type RequestState } from '../src/request';

const failure = (kind: ApiError['kind']): ApiError => new ApiError(kind, { status: 500, code: 'x' });

interface Seen {
  phases: Phase[];
  answers: string[];
}

function task(seen: Seen): ReturnType<typeof createTask<string>> {
  return createTask<string>({
    onState: (state) => seen.phases.push(state.phase),
    onAnswer: (answer) => seen.answers.push(answer),
    isEmpty: (answer) => answer === '',
  });
}

describe('the state machine', () => {
  const EVENTS: [RequestEvent, Phase][] = [
    [{ type: 'slow' }, 'loading'],
    [{ type: 'very-slow' }, 'still'],
    [{ type: 'cancel' }, 'idle'],
    [{ type: 'answer', empty: false }, 'ready'],
    [{ type: 'answer', empty: true }, 'empty'],
    [{ type: 'fail', error: failure('server') }, 'error'],
    [{ type: 'fail', error: unreachable('network') }, 'offline'],
    [{ type: 'fail', error: failure('denied') }, 'denied'],
    [{ type: 'fail', error: failure('expired') }, 'denied'],
  ];

  test.each(EVENTS)('a request under way after %o is %s', (event, phase) => {
    expect(transition({ phase: 'pending', error: null }, event).phase).toBe(phase);
  });

  test.each(['idle', 'ready', 'empty', 'error', 'offline', 'denied'] as Phase[])('late events do not disturb %s', (phase) => {
    const state: RequestState = { phase, error: null };
    for (const [event] of EVENTS) expect(transition(state, event)).toBe(state);
    expect(isWaiting(transition(state, { type: 'start' }))).toBe(true);
  });

  test('"still loading" does not go back to "loading"', () => {
    const still: RequestState = { phase: 'still', error: null };
    expect(transition(still, { type: 'slow' })).toBe(still);
  });
});

describe('a task', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('shows nothing for 300 ms, then loading, after 10 s still loading', async () => {
    const seen: Seen = { phases: [], answers: [] };
    let finish: (answer: string) => void = () => undefined;
    const run = task(seen).run(() => new Promise((resolve) => (finish = resolve)));
    await vi.advanceTimersByTimeAsync(299);
    expect(seen.phases).toEqual(['pending']);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.phases.at(-1)).toBe('loading');
    await vi.advanceTimersByTimeAsync(9_700);
    expect(seen.phases.at(-1)).toBe('still');
    finish('a');
    await run;
    expect(seen.phases.at(-1)).toBe('ready');
  });

  test('a second question silences the first, whichever answers last', async () => {
    const seen: Seen = { phases: [], answers: [] };
    const asked: ((answer: string) => void)[] = [];
    const aborted: boolean[] = [];
    const one = task(seen);
    const ask = (signal: AbortSignal): Promise<string> => {
      signal.addEventListener('abort', () => aborted.push(true));
      return new Promise((resolve) => asked.push(resolve));
    };
    const runs = [one.run(ask), one.run(ask)];
    asked[1]?.('second');
    asked[0]?.('first');
    await Promise.all(runs);
    expect(seen.answers).toEqual(['second']);
    expect(aborted).toEqual([true]);
  });

  test('cancelling returns to idle and ignores the answer', async () => {
    const seen: Seen = { phases: [], answers: [] };
    const one = task(seen);
    const run = one.run(async () => 'late');
    one.cancel();
    await run;
    expect(seen).toEqual({ phases: ['pending', 'idle'], answers: [] });
  });

});

describe('a task that fails', () => {
  test('a bug in the answer is an error on the page, not an unhandled rejection', async () => {
    const seen: Seen = { phases: [], answers: [] };
    await task(seen).run(() => Promise.reject(new TypeError('no features')));
    expect(seen.phases.at(-1)).toBe('error');
  });

  test('starts idle', () => expect(IDLE.phase).toBe('idle'));
});
