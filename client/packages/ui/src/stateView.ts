import { isWaiting, type ApiError, type FailureKind, type RequestState, type Translate } from '@onemap/core';

import type { IconName } from './icons';

export interface StateView {
  block: 'skeleton' | 'idle' | 'empty' | 'failure' | null;
  /** Show the content, this run's or the one before. */
  content: boolean;
  busy: boolean;
  /** Waiting so long that stopping should be offered. */
  still: boolean;
  icon: IconName;
}

const ICON_OF: Partial<Record<RequestState['phase'], IconName>> = { offline: 'offline', denied: 'lock' };

/** Which of the designed states a place on the page shows. */
export function stateView(state: RequestState, keeps: boolean): StateView {
  const { phase } = state;
  const waiting = isWaiting(state);
  const slow = phase === 'loading' || phase === 'still';
  // Giving up a reload, or a server that is away, leaves what was there before.
  const content = phase === 'ready' || ((waiting || phase === 'idle' || phase === 'offline') && keeps);
  return {
    block: blockOf(state, keeps),
    content,
    busy: slow,
    still: phase === 'still',
    icon: ICON_OF[phase] ?? 'error',
  };
}

const BLOCK_OF: Partial<Record<RequestState['phase'], StateView['block']>> = {
  idle: 'idle',
  empty: 'empty',
  error: 'failure',
  offline: 'failure',
  denied: 'failure',
  loading: 'skeleton',
  still: 'skeleton',
};

function blockOf({ phase }: RequestState, keeps: boolean): StateView['block'] {
  const block = BLOCK_OF[phase] ?? null;
  return (block === 'skeleton' || block === 'idle') && keeps ? null : block;
}

const REASON_KEY: Record<FailureKind, string> = {
  offline: 'failure.offline',
  denied: 'failure.denied',
  expired: 'failure.expired',
  missing: 'failure.missing',
  throttled: 'failure.throttled',
  refused: 'failure.refused',
  server: 'failure.server',
};

/** Why it failed, in the reader's language; the server's own sentence where it knows better. */
export function failureText(error: ApiError, t: Translate): string {
  if (error.kind === 'throttled') return t('failure.throttled', { seconds: error.retryAfter ?? 60 });
  const said = error.kind === 'refused' || error.kind === 'server' ? error.problem.detail : undefined;
  return said || t(REASON_KEY[error.kind]);
}
