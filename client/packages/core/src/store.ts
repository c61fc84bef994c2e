export type Listener<T> = (state: T) => void;

export interface Store<T extends object> {
  get: () => T;
  /** Merge a patch; listeners are told once per turn of the event loop. */
  set: (patch: Partial<T>) => void;
  subscribe: (listener: Listener<T>) => () => void;
}

/** Plain serialisable state with listeners: the map starts before the interface framework is there. */
export function createStore<T extends object>(initial: T): Store<T> {
  let state = initial;
  let told = true;
  const listeners = new Set<Listener<T>>();
  const tell = (): void => {
    told = true;
    for (const listener of [...listeners]) listener(state);
  };
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch };
      if (!told) return;
      told = false;
      queueMicrotask(tell);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
