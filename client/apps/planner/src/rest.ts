import { createApp } from 'vue';

import App from './App.vue';
import { CONTEXT, createContext } from './context';
import type { Planner } from './planner';
import type { Parts } from './start';

/** Put the interface around the running map. */
export function mountInterface(planner: Planner, parts: Parts, map: HTMLElement): void {
  const app = createApp(App, { mapElement: map });
  app.provide(CONTEXT, createContext(planner, parts));
  app.mount('#ui');
}
