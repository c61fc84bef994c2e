/** How one stage of a course stands. */
export type StepMark = 'done' | 'now' | 'ahead' | 'stopped';

export const MARK_WORDS: Record<StepMark, string> = {
  done: 'step.is-done',
  now: 'step.is-now',
  ahead: 'step.is-ahead',
  stopped: 'step.is-stopped',
};
