import { createPoll, createTask, drawnLayers, mergeChoices, movedLayers, withChangeset, type LayerInfo, type Store } from '@onemap/core';

import type { Planner } from './planner';
import type { PlannerState } from './state';

const POLL_MS = 20_000;

interface Fetched {
  layers: LayerInfo[];
  etag: string | null;
}

/** Keeps the layer list as the caller may see it: first load, polling, and again after every change of person. */
export interface Catalogue {
  load: () => Promise<void>;
  pollNow: () => void;
}

export function createCatalogue(planner: Planner, onChange: () => Promise<void>): Catalogue {
  const { store } = planner;
  let etag: string | null = null;
  const take = (fetched: Fetched): void => {
    etag = fetched.etag;
    const layers = fetched.layers.map((layer) => withChangeset(layer, store.get().changeset));
    store.set(withLayers(store, layers, planner));
  };
  const task = createTask<Fetched>({
    onState: (catalogue) => store.set({ catalogue }),
    onAnswer: take,
    isEmpty: ({ layers }) => layers.length === 0,
  });
  const load = (): Promise<void> =>
    task.run(async () => {
      const answer = await planner.api.layers(null);
      return { layers: drawnLayers(answer.body?.layers ?? []), etag: answer.etag };
    });
  const poll = async (): Promise<void> => {
    // A list that never came is loaded in full view, with its own states.
    if (etag === null) return load();
    const answer = await planner.api.layers(etag);
    if (!answer.body) return;
    take({ layers: drawnLayers(answer.body.layers), etag: answer.etag });
    await onChange();
  };
  const polling = createPoll({ everyMs: POLL_MS, work: poll, isHidden: () => document.hidden });
  return { load, pollNow: polling.now };
}

/** The state with a new list: choices kept, and results marked that the new data has overtaken. */
function withLayers(store: Store<PlannerState>, layers: LayerInfo[], planner: Planner): Partial<PlannerState> {
  const before = store.get();
  const moved = new Set(movedLayers(before.layers, layers));
  const identify = { ...before.identify, stale: before.identify.stale || before.identify.found.some(({ layer }) => moved.has(layer)) };
  const table = { ...before.table, stale: before.table.stale || moved.has(before.table.layer ?? '') };
  const choices = mergeChoices(layers, before.choices, planner.link.layers);
  const phase = layers.length ? ('ready' as const) : ('empty' as const);
  const notice = moved.size ? { notice: { key: 'notice.data-moved', parameters: { count: moved.size } } } : {};
  return { layers, choices, identify, table, catalogue: { phase, error: null }, ...notice };
}
