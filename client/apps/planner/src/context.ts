import { computed, inject, shallowRef, type ComputedRef, type InjectionKey, type ShallowRef } from 'vue';

import { inLanguage, translator, type Language, type Store, type Translate } from '@onemap/core';

import en from '../../../locales/en.json';
import zh from '../../../locales/zh-CN.json';
import type { Planner } from './planner';
import type { Parts } from './start';
import type { PlannerState } from './state';

const TRANSLATORS: Record<Language, Translate> = { 'zh-CN': translator(zh), en: translator(en) };

/** What components get: the state to read, the verbs to call, the words to show. */
export interface Context {
  planner: Planner;
  parts: Parts;
  state: ShallowRef<PlannerState>;
  /** Translate a key into the language of the moment. */
  t: Translate;
  /** The text of a thing that carries both languages, such as `title_zh` and `title_en`. */
  own: (thing: object, key: string) => string;
}

export const CONTEXT: InjectionKey<Context> = Symbol('planner');

/** A store as a Vue reference; only the outermost object is watched, never what the map holds. */
export function refOf<T extends object>(store: Store<T>): ShallowRef<T> {
  const reference: ShallowRef<T> = shallowRef<T>(store.get()) as ShallowRef<T>;
  store.subscribe((state) => {
    reference.value = state;
  });
  return reference;
}

export function createContext(planner: Planner, parts: Parts): Context {
  const state = refOf(planner.store);
  return {
    planner,
    parts,
    state,
    t: (key, parameters) => TRANSLATORS[state.value.language](key, parameters),
    own: (thing, key) => inLanguage(thing, key, state.value.language),
  };
}

export function usePlanner(): Context {
  const context = inject(CONTEXT);
  if (!context) throw new Error('a component of the planner outside the planner');
  return context;
}

/** One part of the state; components that read it are drawn again only when this part changes. */
export function useSlice<T>(read: (state: PlannerState) => T): ComputedRef<T> {
  const { state } = usePlanner();
  return computed(() => read(state.value));
}
