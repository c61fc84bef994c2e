import type { Action } from '@onemap/core';
import type { GivenGrant, Grant } from '../../api/layerTypes';

export interface GrantDraft {
  kind: 'department' | 'role' | 'user' | 'public';
  /** Code or user name; nothing for the public. */
  who: string;
  actions: Action[];
  /** Empty: all fields, later ones too. */
  fields: string[];
  division: string;
  until: string;
}

export function emptyGrant(): GrantDraft {
  return { kind: 'department', who: '', actions: ['view', 'query'], fields: [], division: '', until: '' };
}

/** What each action needs besides itself to be of use: nobody edits what they cannot see. */
const NEEDS: Record<Action, readonly Action[]> = {
  view: [],
  query: ['view'],
  download: ['view', 'query'],
  edit: ['view', 'query'],
  publish: ['view', 'query', 'edit'],
  admin: ['view', 'query'],
};

/** The actions after one was ticked: with those that it needs. */
export function withNeeds(actions: readonly Action[], ticked: Action): Action[] {
  return [...new Set([...actions, ticked, ...NEEDS[ticked]])];
}

export function grantFaults(draft: GrantDraft): string[] {
  const faults = draft.kind !== 'public' && !draft.who.trim() ? ['who'] : [];
  return draft.actions.length ? faults : [...faults, 'actions'];
}

export function givenOf(draft: GrantDraft): GivenGrant {
  return {
    to: toOf(draft.kind, draft.who),
    actions: draft.actions,
    fields: draft.fields.length ? draft.fields : null,
    area: draft.division.trim() ? { division: draft.division.trim() } : null,
    until: draft.until || null,
  };
}

export function toOf(kind: GrantDraft['kind'], who: string): string {
  return kind === 'public' ? 'public' : `${kind}:${who.trim()}`;
}

/** A drawn area is not kept on this page, and an ended right is over. */
export function mayGiveAgain(grant: Grant): boolean {
  return !grant.ended && (grant.area_label === null || grant.area_label.startsWith('division:'));
}

/** A right that was taken back, as it is given again. */
export function givenAgain(grant: Grant): GivenGrant | null {
  if (!mayGiveAgain(grant)) return null;
  const { to, actions, fields, area_label } = grant;
  return { to, actions, fields, area: area_label ? { division: area_label.slice('division:'.length) } : null, until: grant.until ? localDay(grant.until) : null };
}

function localDay(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
