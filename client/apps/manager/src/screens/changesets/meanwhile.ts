import type { Changeset, LoggedStep } from '../../api/changesetTypes';

export interface Meanwhile {
  /** Steps that were taken since, the oldest first. */
  steps: LoggedStep[];
  /** The content is not what was seen. */
  content: boolean;
}

/** What happened to a changeset since it was read; null when nothing did. */
export function meanwhile(seen: Changeset, now: Changeset): Meanwhile | null {
  const known = new Set(seen.log.map(({ at, step }) => `${at} ${step}`));
  const steps = now.log.filter(({ at, step }) => !known.has(`${at} ${step}`)).sort((a, b) => a.at.localeCompare(b.at));
  const content = seen.counter !== now.counter;
  const described = seen.changed_at !== now.changed_at || seen.state !== now.state;
  return steps.length || content || described ? { steps, content } : null;
}
