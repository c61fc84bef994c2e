import { createTask, type Hit, type Item, type Position } from '@onemap/core';
import { detailAt } from '@onemap/map';

import type { Planner } from './planner';
import { NO_IDENTIFY, type FoundFeature } from './state';

/** Asking what is at a place, and walking through the answers. */
export interface Identify {
  ask: (at: Position, tolerance: number) => void;
  again: () => void;
  /** Show a feature found elsewhere; says whether the map moves to it. */
  show: (feature: FoundFeature) => boolean;
  open: (layer: string, fid: number) => void;
  step: (index: number) => void;
  clear: () => void;
  cancel: () => void;
}

function fromHit({ layer, fid, properties, geometry }: Hit): FoundFeature {
  return { layer, fid, properties, geometry, geometryCrs: 'storage' };
}

export function fromItem(layer: string, { id, properties, geometry }: Item): FoundFeature {
  return { layer, fid: Number(id), properties, geometry, geometryCrs: 'lonlat' };
}

/** Layers that are drawn now and that the caller may ask about. */
function askable({ store }: Planner): string[] {
  const { layers, choices, info, view } = store.get();
  if (!info || !view) return [];
  return layers
    .filter((layer) => choices[layer.name]?.visible && layer.actions.includes('query'))
    .filter((layer) => detailAt(info.grid, layer, view.resolution) !== 'none')
    .sort((a, b) => b.order - a.order)
    .map((layer) => layer.name);
}

async function hitsAt(planner: Planner, at: Position, tolerance: number, signal: AbortSignal): Promise<FoundFeature[]> {
  const layers = askable(planner);
  const crs = planner.store.get().info?.grid.crs;
  if (layers.length === 0 || !crs) return [];
  return (await planner.api.identify({ at, crs, tolerance, layers }, signal)).map(fromHit);
}

function highlight(planner: Planner, feature: FoundFeature | undefined): void {
  planner.map?.select(feature?.geometry ?? null, feature?.geometryCrs ?? 'storage');
}

function shownOrLinked({ store, link }: Planner): { layer: string; fid: number } | undefined {
  const { found, index } = store.get().identify;
  return found[index] ?? link.feature;
}

export function createIdentify(planner: Planner): Identify {
  const { store } = planner;
  const patch = (change: Partial<typeof NO_IDENTIFY>): void => store.set({ identify: { ...store.get().identify, ...change } });
  let question: { at: Position; tolerance: number } | null = null;

  const step = (index: number): void => {
    const found = store.get().identify.found;
    const feature = found[(index + found.length) % found.length];
    if (!feature) return;
    patch({ index: found.indexOf(feature) });
    highlight(planner, feature);
  };
  const task = createTask<FoundFeature[]>({
    onState: (request) => patch({ request }),
    onAnswer(found) {
      patch({ found, index: 0, stale: false });
      highlight(planner, found[0]);
      if (question) planner.map?.reveal(question.at);
      else planner.map?.bringIntoView();
      store.set({ notice: { key: 'notice.found', parameters: { count: found.length } } });
    },
    isEmpty: (found) => found.length === 0,
  });
  const ask = (at: Position, tolerance: number): void => {
    question = { at, tolerance };
    patch({ at });
    void task.run((signal) => hitsAt(planner, at, tolerance, signal));
  };
  const open = (layer: string, fid: number): void => {
    question = null;
    patch({ at: null });
    void task.run(async (signal) => [fromItem(layer, await planner.api.item(layer, fid, signal))]);
  };
  const stop = (): void => {
    task.cancel();
    question = null;
  };
  return {
    ask,
    again() {
      const feature = shownOrLinked(planner);
      if (question) ask(question.at, question.tolerance);
      else if (feature) open(feature.layer, feature.fid);
    },
    open,
    step,
    show(feature) {
      stop();
      patch({ found: [feature], index: 0, at: null, stale: false, request: { phase: 'ready', error: null } });
      highlight(planner, feature);
      return planner.map?.bringIntoView() ?? false;
    },
    clear() {
      stop();
      patch(NO_IDENTIFY);
      highlight(planner, undefined);
    },
    cancel: () => task.cancel(),
  };
}
