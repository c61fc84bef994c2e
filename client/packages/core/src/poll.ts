export interface PollSettings {
  everyMs: number;
  /** Returns after one round; a rejection slows the next rounds down. */
  work: () => Promise<void>;
  isHidden: () => boolean;
}

/** Longest pause between rounds after failures, as a multiple of the normal one. */
const MAX_SLOWDOWN = 6;

/** Ask again and again, less often while it fails and never while nobody looks. */
export function createPoll(settings: PollSettings): { now: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let busy = false;
  let stopped = false;
  const plan = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(round, settings.everyMs * Math.min(2 ** failures, MAX_SLOWDOWN));
  };
  const round = (): void => {
    if (busy || settings.isHidden()) return plan();
    busy = true;
    settings
      .work()
      .then(() => (failures = 0))
      .catch(() => (failures += 1))
      .finally(() => {
        busy = false;
        plan();
      });
  };
  plan();
  const stop = (): void => {
    stopped = true;
    clearTimeout(timer);
  };
  return { now: round, stop };
}
