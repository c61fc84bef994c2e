import type { IconName } from '@onemap/ui';
import type { ChangeOp, Changeset, ChangesetState, ConflictKind, StepName } from '../../api/changesetTypes';
import type { StepMark } from '../../parts/stepMark';
import type { Tone } from '../deliveries/words';

export const STATE_WORDS: Record<ChangesetState, string> = {
  private: 'changeset.state.private',
  shared: 'changeset.state.shared',
  submitted: 'changeset.state.submitted',
  approved: 'changeset.state.approved',
  published: 'changeset.state.published',
  returned: 'changeset.state.returned',
  withdrawn: 'changeset.state.withdrawn',
  abandoned: 'changeset.state.abandoned',
};

export const TONES: Record<ChangesetState, Tone> = {
  private: 'plain',
  shared: 'plain',
  submitted: 'ask',
  approved: 'busy',
  published: 'good',
  returned: 'bad',
  withdrawn: 'plain',
  abandoned: 'bad',
};

export const OP_WORDS: Record<ChangeOp, string> = { insert: 'diff.insert', update: 'diff.update', delete: 'diff.remove' };
export const OP_TONES: Record<ChangeOp, Tone> = { insert: 'good', update: 'busy', delete: 'bad' };
export const OP_ICONS: Record<ChangeOp, IconName> = { insert: 'plus', update: 'changes', delete: 'minus' };

export const KIND_WORDS: Record<Exclude<ConflictKind, 'field'>, string> = {
  geometry: 'conflict.geometry',
  period: 'conflict.period',
  'deleted-there': 'conflict.deleted-there',
  'deleted-here': 'conflict.deleted-here',
  'inserted-there': 'conflict.inserted-there',
  overlap: 'conflict.overlap',
};

/** What a step in the log was. */
export const LOG_WORDS: Record<string, string> = {
  create: 'changeset.did.create',
  share: 'changeset.did.share',
  unshare: 'changeset.did.unshare',
  submit: 'changeset.did.submit',
  withdraw: 'changeset.did.withdraw',
  return: 'changeset.did.return',
  approve: 'changeset.did.approve',
  publish: 'changeset.did.publish',
  abandon: 'changeset.did.abandon',
  revert: 'changeset.did.revert',
  merge: 'changeset.did.merge',
  resolve: 'changeset.did.resolve',
};

export interface StepWords {
  verb: string;
  text: string;
  /** What came of it, for a short message. */
  done: string;
  /** Whether a reason must be given, may be given, or is not asked for. */
  reason: 'must' | 'may' | 'none';
  primary?: boolean;
}

/** The steps in the order in which they are offered; the main one last. */
export const STEPS: Record<StepName, StepWords> = {
  abandon: { verb: 'changeset.abandon', text: 'changeset.abandon-text', done: 'changeset.abandon-done', reason: 'may' },
  revert: { verb: 'changeset.revert', text: 'changeset.revert-text', done: 'changeset.revert-done', reason: 'may' },
  share: { verb: 'changeset.share', text: 'changeset.share-text', done: 'changeset.share-done', reason: 'none' },
  unshare: { verb: 'changeset.unshare', text: 'changeset.unshare-text', done: 'changeset.unshare-done', reason: 'none' },
  withdraw: { verb: 'changeset.withdraw', text: 'changeset.withdraw-text', done: 'changeset.withdraw-done', reason: 'may' },
  return: { verb: 'changeset.return', text: 'changeset.return-text', done: 'changeset.return-done', reason: 'must' },
  submit: { verb: 'changeset.submit', text: 'changeset.submit-text', done: 'changeset.submit-done', reason: 'may', primary: true },
  approve: { verb: 'changeset.approve', text: 'changeset.approve-text', done: 'changeset.approve-done', reason: 'may', primary: true },
  publish: { verb: 'changeset.publish', text: 'changeset.publish-text', done: 'changeset.publish-done', reason: 'may', primary: true },
};

/** The steps that somebody may take and that change something, in the order of the bar. */
export function offered({ steps, shared }: Pick<Changeset, 'steps' | 'shared'>): StepName[] {
  const idle: StepName = shared ? 'share' : 'unshare';
  return (Object.keys(STEPS) as StepName[]).filter((step) => steps.includes(step) && step !== idle);
}

export const STAGE_WORDS = ['changeset.stage.draft', 'changeset.stage.review', 'changeset.stage.approve', 'changeset.stage.publish'] as const;

const MARKS: Record<ChangesetState, StepMark[]> = {
  private: ['now', 'ahead', 'ahead', 'ahead'],
  shared: ['now', 'ahead', 'ahead', 'ahead'],
  withdrawn: ['now', 'ahead', 'ahead', 'ahead'],
  returned: ['now', 'stopped', 'ahead', 'ahead'],
  submitted: ['done', 'now', 'ahead', 'ahead'],
  approved: ['done', 'done', 'done', 'now'],
  published: ['done', 'done', 'done', 'done'],
  abandoned: ['stopped', 'ahead', 'ahead', 'ahead'],
};

/** How the four stages stand in a state; a returned one is being drafted again. */
export function stageMarks(state: ChangesetState): StepMark[] {
  return MARKS[state];
}
