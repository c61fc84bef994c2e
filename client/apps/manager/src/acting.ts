import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue';

import { asApiError, type ApiError } from '@onemap/core';
import { failureText } from '@onemap/ui';
import { useDesk } from './desk';

export interface Acting {
  busy: Ref<boolean>;
  failure: ShallowRef<ApiError | null>;
  /** Why it failed, in words; empty when it did not. */
  words: ComputedRef<string>;
  /** Do one thing at a time; true when it succeeded. */
  act: (work: () => Promise<void>) => Promise<boolean>;
}

/** Something a person does on a screen: never twice at once, and a refusal stays to be read. */
export function useActing(): Acting {
  const { t } = useDesk();
  const busy = ref(false);
  const failure: ShallowRef<ApiError | null> = shallowRef(null);
  const words = computed(() => (failure.value ? failureText(failure.value, t) : ''));
  async function act(work: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    failure.value = null;
    try {
      await work();
      return true;
    } catch (cause) {
      failure.value = asApiError(cause);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, failure, words, act };
}
