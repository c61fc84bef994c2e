import type { DeliveryState } from '../../api/types';
import type { StepMark } from '../../parts/stepMark';

export const STEPS = ['received', 'checking', 'waiting', 'checked', 'accepted'] as const;
export type Step = (typeof STEPS)[number];

const REACHED: Record<DeliveryState, number> = {
  received: 0,
  checking: 1,
  waiting: 2,
  checked: 3,
  accepting: 4,
  accepted: 5,
  refused: 3,
  failed: 1,
  withdrawn: 0,
};
const STOPPED: ReadonlySet<DeliveryState> = new Set(['refused', 'failed', 'withdrawn']);

/** How the five steps stand in a state. */
export function stepMarks(state: DeliveryState): StepMark[] {
  const reached = REACHED[state] ?? 0;
  return STEPS.map((_, index) => {
    if (index < reached) return 'done';
    if (index > reached) return 'ahead';
    return STOPPED.has(state) ? 'stopped' : 'now';
  });
}

/** A job is at work: the page asks again by itself. */
export function isMoving(state: DeliveryState): boolean {
  return state === 'received' || state === 'checking' || state === 'accepting';
}
