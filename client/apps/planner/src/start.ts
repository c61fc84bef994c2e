import { createTask, readHash, type MapInfo, type Session } from '@onemap/core';
import { CityMap, type MapHandlers } from '@onemap/map';

import { createAccount, type Account } from './account';
import { rememberLanguage, writeAddress } from './address';
import { createCatalogue, type Catalogue } from './catalogue';
import { createIdentify, type Identify } from './identify';
import type { Planner } from './planner';
import { createTable, type FeatureTable } from './table';

declare global {
  interface Window {
    /** Everything asked for at the start has been drawn. */
    __ready?: boolean;
    /** The map, for tests that need to know where a coordinate is on screen. */
    __map?: CityMap;
  }
}

/** The page's verbs, for the interface. */
export interface Parts {
  identify: Identify;
  table: FeatureTable;
  catalogue: Catalogue;
  account: Account;
  /** Load what the page cannot be without; again after a failure. */
  boot: () => Promise<void>;
  /** Ask again for what failed while the server was away. */
  recover: () => void;
}

/** Start the map and everything that feeds it; the interface comes later and only reads and calls. */
export function start(planner: Planner, target: HTMLElement): Parts {
  const identify = createIdentify(planner);
  const table = createTable(planner);
  const account = createAccount(planner, { catalogue: () => catalogue, identify, table });
  const catalogue = createCatalogue(planner, account.check);
  const boot = createBoot(planner, target, identify, table, catalogue);
  const recover = (): void => {
    if (!planner.map) return void boot();
    for (const [name, status] of Object.entries(planner.store.get().tiles)) if (status.failed > 0) planner.map.reload(name);
    catalogue.pollNow();
  };
  followState(planner);
  followBrowser(planner, catalogue, recover);
  void boot();
  return { identify, table, catalogue, account, boot, recover };
}

function createBoot(
  planner: Planner,
  target: HTMLElement,
  identify: Identify,
  table: FeatureTable,
  catalogue: Catalogue,
): () => Promise<void> {
  const { store } = planner;
  const task = createTask<[MapInfo, Session]>({
    onState: (boot) => store.set({ boot }),
    onAnswer([info, session]) {
      planner.setSession(session);
      store.set({ info });
      planner.map ??= new CityMap(target, info, handlers(planner, identify, table), planner.link);
      window.__map = planner.map;
    },
    isEmpty: () => false,
  });
  return async () => {
    const layers = catalogue.load();
    await task.run(() => Promise.all([planner.api.map(), planner.api.session()]));
    await layers;
    if (!planner.map) return;
    planner.map.apply(store.get().layers, store.get().choices);
    await planner.map.rendered();
    window.__ready = true;
    const { feature } = planner.link;
    if (feature) identify.open(feature.layer, feature.fid);
  };
}

function handlers(planner: Planner, identify: Identify, table: FeatureTable): MapHandlers {
  const { store, pointer } = planner;
  return {
    onMove(view) {
      store.set({ view });
      table.follow();
    },
    onPointer: (at) => pointer.set({ at }),
    onAsk: (at, tolerance) => identify.ask(at, tolerance),
    onTiles: (name, status) => store.set({ tiles: { ...store.get().tiles, [name]: status } }),
  };
}

/** Two followers of the state: the map draws the choices, the address tells them. */
function followState(planner: Planner): void {
  const { store } = planner;
  let [layers, choices, language] = [store.get().layers, store.get().choices, store.get().language];
  rememberLanguage(language, document);
  store.subscribe((state) => {
    if (state.layers !== layers || state.choices !== choices) {
      [layers, choices] = [state.layers, state.choices];
      planner.map?.apply(layers, choices);
    }
    if (state.language !== language) {
      language = state.language;
      rememberLanguage(language, document);
    }
    writeAddress(state, location);
  });
}

function followChangeset({ store }: Planner, catalogue: Catalogue, changeset: number | null = null): void {
  if (changeset === store.get().changeset) return;
  store.set({ changeset });
  void catalogue.load();
}

function followBrowser(planner: Planner, catalogue: Catalogue, recover: () => void): void {
  const { store } = planner;
  const network = (online: boolean): void => store.set({ network: { ...store.get().network, online } });
  addEventListener('offline', () => network(false));
  addEventListener('online', () => {
    network(true);
    recover();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) catalogue.pollNow();
  });
  // A link pasted into the address bar of the open page.
  addEventListener('hashchange', () => {
    const link = readHash(location.hash);
    if (link.center) planner.map?.setCenter(link.center);
    if (link.scale) planner.map?.setScale(link.scale);
    if (link.language) store.set({ language: link.language });
    followChangeset(planner, catalogue, link.changeset);
  });
}
