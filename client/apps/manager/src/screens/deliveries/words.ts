import type { Translate } from '@onemap/core';
import type { IconName } from '@onemap/ui';
import type { DeliveryState, DiffOp, Level } from '../../api/types';

export const STATE_WORDS: Record<DeliveryState, string> = {
  received: 'delivery.state.received',
  checking: 'delivery.state.checking',
  waiting: 'delivery.state.waiting',
  checked: 'delivery.state.checked',
  accepting: 'delivery.state.accepting',
  accepted: 'delivery.state.accepted',
  refused: 'delivery.state.refused',
  failed: 'delivery.state.failed',
  withdrawn: 'delivery.state.withdrawn',
};

export type Tone = 'plain' | 'busy' | 'ask' | 'good' | 'bad';

const TONES: Record<DeliveryState, Tone> = {
  received: 'busy',
  checking: 'busy',
  waiting: 'ask',
  checked: 'ask',
  accepting: 'busy',
  accepted: 'good',
  refused: 'bad',
  failed: 'bad',
  withdrawn: 'plain',
};

export function toneOf(state: DeliveryState): Tone {
  return TONES[state] ?? 'plain';
}

export const TONE_ICONS: Record<Tone, IconName> = {
  plain: 'dash',
  busy: 'refresh',
  ask: 'identify',
  good: 'check',
  bad: 'error',
};

export const LEVEL_WORDS: Record<Level, string> = { block: 'level.block', warn: 'level.warn', note: 'level.note' };
export const LEVEL_ICONS: Record<Level, IconName> = { block: 'error', warn: 'warning', note: 'identify' };

export const OP_WORDS: Record<DiffOp, string> = {
  insert: 'diff.insert',
  update: 'diff.update',
  remove: 'diff.remove',
  conflict: 'diff.conflict',
};

export const KIND_WORDS = { layer: 'part.kind.layer', table: 'part.kind.table', raster: 'part.kind.raster' } as const;

const STEP_WORDS: Record<string, string> = {
  list: 'job.list',
  inspect: 'job.inspect',
  read: 'job.read',
  stage: 'job.read',
  compare: 'job.compare',
  check: 'job.check',
  package: 'job.package',
  publish: 'job.publish',
  write: 'job.write',
  index: 'job.index',
};

/** What a job is doing; a step of a layer is written `stage DLTB`. */
export function stepWords(step: string, t: Translate): string {
  const [verb = '', ...rest] = step.split(' ');
  const key = STEP_WORDS[verb];
  if (!step) return t('job.queued');
  return [key ? t(key) : verb, ...rest].join(' ');
}

const UNITS = ['B', 'kB', 'MB', 'GB'];

export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** A name such as `user:lin` as people read it. */
export function personOf(name: string): string {
  return name.replace(/^(user|key):/, '');
}
