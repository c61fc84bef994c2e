import { reactive } from 'vue';

import type { ChangesetsAsked } from '../../api/changesets';

/** What of all changesets is looked at: all, the caller's own, those that wait for the caller's review, those to be published. */
export const VIEWS = ['all', 'mine', 'review', 'publish'] as const;
export type View = (typeof VIEWS)[number];

export interface Filters {
  view: View;
  state: string;
  layer: string;
  offset: number;
}

/** Kept while the page is there, so that the way back leads to the same list. */
export const FILTERS = reactive<Filters>({ view: 'all', state: '', layer: '', offset: 0 });

const STATE_OF: Partial<Record<View, string>> = { review: 'submitted', publish: 'approved' };

/** The question to the server; two views are of one state. */
export function askedBy({ view, state, layer, offset }: Filters): ChangesetsAsked {
  return { state: STATE_OF[view] ?? state, mine: view === 'mine', review: view === 'review', layer, offset };
}

export function choosesState(view: View): boolean {
  return !(view in STATE_OF);
}
