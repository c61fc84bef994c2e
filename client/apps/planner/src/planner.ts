import {
  createStore,
  Http,
  OnemapApi,
  readHash,
  startLanguage,
  type Link,
  type Position,
  type Session,
  type Store,
} from '@onemap/core';
import type { CityMap } from '@onemap/map';

import type { PageConfig } from './config';
import { initialState, type PlannerState } from './state';

/** What every part of the page works with: one state, one server, one map. */
export interface Planner {
  store: Store<PlannerState>;
  /** The pointer's place on the map, kept apart because it changes with every movement. */
  pointer: Store<{ at: Position | null }>;
  api: OnemapApi;
  /** null until the server has described the city. */
  map: CityMap | null;
  /** What the address asked for when the page was opened. */
  link: Link;
  /** Token of the page until the first session is known. */
  csrfToken: string;
  setSession: (session: Session) => void;
}

export function createPlanner(config: PageConfig, place: Location): Planner {
  const language = startLanguage(place.search, place.hash, config.language);
  const link = readHash(place.hash);
  const store = createStore(initialState(language, navigator.onLine, link.changeset ?? null));
  const http = new Http({
    language: () => store.get().language,
    csrfToken: () => planner.csrfToken,
    onContact: (reached) => noteContact(store, reached),
  });
  const planner: Planner = {
    store,
    pointer: createStore<{ at: Position | null }>({ at: null }),
    api: new OnemapApi(http, () => store.get().changeset),
    map: null,
    link,
    csrfToken: config.csrfToken,
    setSession(session) {
      planner.csrfToken = session.csrf_token || planner.csrfToken;
      store.set({ session });
    },
  };
  return planner;
}

function noteContact(store: Store<PlannerState>, reached: boolean): void {
  const { network } = store.get();
  const lastContact = reached ? Date.now() : network.lastContact;
  store.set({ network: { ...network, reached, lastContact, online: reached || network.online } });
}
