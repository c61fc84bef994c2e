import { onScopeDispose, ref, watch, type Ref } from 'vue';

import { SHOW_LOADING_MS } from '@onemap/core';

/** True once a condition has held for so long that people should be told. */
export function useSlow(condition: () => boolean): Ref<boolean> {
  const slow = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(
    condition,
    (holds) => {
      clearTimeout(timer);
      if (!holds) slow.value = false;
      else timer = setTimeout(() => (slow.value = true), SHOW_LOADING_MS);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
  return slow;
}
