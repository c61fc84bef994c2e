import { computed, inject, shallowRef, type ComputedRef, type InjectionKey, type ShallowRef } from 'vue';

import {
  createStore,
  createTask,
  Http,
  IDLE,
  inLanguage,
  OnemapApi,
  startLanguage,
  translator,
  type Language,
  type RequestState,
  type Session,
  type Store,
  type Translate,
} from '@onemap/core';

import en from '../../../locales/en.json';
import zh from '../../../locales/zh-CN.json';
import { DeliveryApi } from './api/deliveries';
import { UploadApi } from './api/uploads';
import { createRouter, type Router } from './router';
import { ROUTES } from './routes';

const TRANSLATORS: Record<Language, Translate> = { 'zh-CN': translator(zh), en: translator(en) };
/** A notice goes by itself; whatever must be read stays on the screen it belongs to. */
const NOTICE_MS = 6_000;
const LANGUAGE_COOKIE_S = 365 * 86_400;

export interface DeskState {
  language: Language;
  boot: RequestState;
  session: Session | null;
  /** Somebody was signed in and the server no longer knows the session. */
  expired: boolean;
  online: boolean;
  /** The last exchange got an answer. */
  reached: boolean;
  lastContact: number | null;
  /** A short message, also read out. */
  notice: string;
}

/** What every screen works with. */
export interface Desk {
  store: Store<DeskState>;
  state: ShallowRef<DeskState>;
  http: Http;
  api: OnemapApi;
  deliveries: DeliveryApi;
  uploads: UploadApi;
  router: Router;
  boot: () => Promise<void>;
  signIn: (username: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
  speak: (language: Language) => void;
  tell: (text: string) => void;
  t: Translate;
  own: (thing: object, key: string) => string;
}

export const DESK: InjectionKey<Desk> = Symbol('desk');

interface PageConfig {
  language?: string;
  csrfToken?: string;
}

function readConfig(page: Document): PageConfig {
  return JSON.parse(page.getElementById('onemap-config')?.textContent ?? '{}') as PageConfig;
}

function initial(language: Language): DeskState {
  return {
    language,
    boot: IDLE,
    session: null,
    expired: false,
    online: navigator.onLine,
    reached: true,
    lastContact: null,
    notice: '',
  };
}

/** One state, one server, one router. */
export function createDesk(page: Document, place: Location): Desk {
  const config = readConfig(page);
  const store = createStore<DeskState>(initial(startLanguage(place.search, '', config.language)));
  const state = shallowRef(store.get());
  store.subscribe((next) => (state.value = next));
  let csrf = config.csrfToken ?? '';
  let told: ReturnType<typeof setTimeout> | undefined;
  const http = new Http({
    language: () => store.get().language,
    csrfToken: () => csrf,
    onContact: (reached) =>
      store.set({ reached, ...(reached ? { lastContact: Date.now(), online: true } : {}) }),
  });
  const setSession = (session: Session): void => {
    csrf = session.csrf_token || csrf;
    const before = store.get().session?.user ?? null;
    const lost = before !== null && session.user === null;
    store.set({ session, expired: lost });
  };
  const api = new OnemapApi(http);
  const boot = createTask<Session>({
    onState: (boot) => store.set({ boot }),
    onAnswer: setSession,
    isEmpty: () => false,
  });
  addEventListener('online', () => store.set({ online: true }));
  addEventListener('offline', () => store.set({ online: false }));
  return {
    store,
    state,
    http,
    api,
    deliveries: new DeliveryApi(http),
    uploads: new UploadApi(http),
    router: createRouter(ROUTES, window),
    boot: () => boot.run(() => api.session()),
    async signIn(username, password) {
      setSession(await api.login(username, password));
      store.set({ expired: false });
    },
    async signOut() {
      await api.logout();
      store.set({ session: await api.session(), expired: false });
    },
    speak(language) {
      document.documentElement.lang = language;
      document.cookie = `onemap_language=${language === 'en' ? 'en' : 'zh'}; path=/; max-age=${LANGUAGE_COOKIE_S}; samesite=lax`;
      store.set({ language });
    },
    tell(notice) {
      clearTimeout(told);
      store.set({ notice });
      if (notice) told = setTimeout(() => store.set({ notice: '' }), NOTICE_MS);
    },
    t: (key, parameters) => TRANSLATORS[state.value.language](key, parameters),
    own: (thing, key) => inLanguage(thing, key, state.value.language),
  };
}

export function useDesk(): Desk {
  const desk = inject(DESK);
  if (!desk) throw new Error('a component outside the desk');
  return desk;
}

/** One part of the desk's state. */
export function useDeskState<T>(read: (state: DeskState) => T): ComputedRef<T> {
  const { state } = useDesk();
  return computed(() => read(state.value));
}
