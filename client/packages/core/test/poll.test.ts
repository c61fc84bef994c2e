import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createPoll } from '../src/poll';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('asks at its pace, slower after failures, not at all while nobody looks', async () => {
  let failing = false;
  let hidden = false;
  const work = vi.fn(async () => {
    if (failing) throw new Error('away');
  });
  const poll = createPoll({ everyMs: 1000, work, isHidden: () => hidden });
  await vi.advanceTimersByTimeAsync(3000);
  expect(work).toHaveBeenCalledTimes(3);
  failing = true;
  await vi.advanceTimersByTimeAsync(1000 + 2000 + 4000);
  expect(work).toHaveBeenCalledTimes(6);
  failing = false;
  hidden = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(work).toHaveBeenCalledTimes(6);
  hidden = false;
  poll.now();
  await vi.advanceTimersByTimeAsync(0);
  expect(work).toHaveBeenCalledTimes(7);
  poll.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(work).toHaveBeenCalledTimes(7);
});
