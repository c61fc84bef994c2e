import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

import type { Store } from '@onemap/core';

/** A store of the logic as a reference that templates read. */
export function useStore<T extends object>(store: Store<T>): { items: ShallowRef<T> } {
  const items = shallowRef(store.get()) as ShallowRef<T>;
  onScopeDispose(store.subscribe((next) => (items.value = next)));
  return { items };
}
