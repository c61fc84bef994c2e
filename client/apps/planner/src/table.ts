import { createTask, type ItemPage } from '@onemap/core';

import { fromItem } from './identify';
import type { Planner } from './planner';
import { NO_TABLE, type TableState } from './state';

export const PAGE_SIZE = 50;
/** The map has to rest this long before the table asks again. */
const REST_MS = 300;

/** The features of one layer in what the map shows: the map's twin for keyboard and screen reader. */
export interface FeatureTable {
  open: (layer: string) => void;
  close: () => void;
  reload: () => void;
  next: () => void;
  previous: () => void;
  cancel: () => void;
  /** The map has moved. */
  follow: () => void;
  /** The next movement comes from the table itself: the rows stay where they are. */
  stayOnce: () => void;
}

export function createTable(planner: Planner): FeatureTable {
  const { store } = planner;
  const patch = (change: Partial<TableState>): void => store.set({ table: { ...store.get().table, ...change } });
  let staying = false;
  let rest: ReturnType<typeof setTimeout> | undefined;

  const task = createTask<{ layer: string; page: ItemPage; trail: (string | null)[] }>({
    onState: (request) => patch({ request }),
    onAnswer({ layer, page, trail }) {
      const rows = page.features.map((item) => fromItem(layer, item));
      const next = page.links?.find((link) => link.rel === 'next')?.href ?? null;
      patch({ rows, next, trail, matched: page.numberMatched ?? null, stale: false });
    },
    isEmpty: ({ page }) => page.features.length === 0,
  });
  const go = (trail: (string | null)[]): void => {
    // What the person asks for comes before what the map's movement would ask for.
    clearTimeout(rest);
    const { layer } = store.get().table;
    const { view, info } = store.get();
    if (!layer || !view || !info) return;
    const href = trail.at(-1) ?? null;
    void task.run(async (signal) => {
      const first = href === null;
      const page = first
        ? await planner.api.items(layer, view.extent, info.grid.crs, PAGE_SIZE, signal)
        : await planner.api.page(href, signal);
      return { layer, page, trail };
    });
  };
  return {
    open(layer) {
      store.set({ table: { ...NO_TABLE, layer } });
      go([null]);
    },
    close() {
      task.cancel();
      store.set({ table: NO_TABLE });
    },
    reload: () => go([null]),
    next() {
      const { next, trail } = store.get().table;
      if (next) go([...trail, next]);
    },
    previous: () => go(store.get().table.trail.slice(0, -1)),
    cancel: () => task.cancel(),
    stayOnce() {
      staying = true;
    },
    follow() {
      clearTimeout(rest);
      if (staying) {
        staying = false;
        return;
      }
      if (store.get().table.layer) rest = setTimeout(() => go([null]), REST_MS);
    },
  };
}
