import type { Catalogue } from './catalogue';
import type { Identify } from './identify';
import type { Planner } from './planner';
import type { FeatureTable } from './table';

/** Who is at the screen. Rights differ by person, so every change of person asks for everything anew. */
export interface Account {
  signIn: (username: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
  /** Notice a session that has run out. */
  check: () => Promise<void>;
}

interface Parts {
  catalogue: () => Catalogue;
  identify: Identify;
  table: FeatureTable;
}

export function createAccount(planner: Planner, parts: Parts): Account {
  const { store } = planner;
  const startOver = async (): Promise<void> => {
    parts.identify.clear();
    parts.table.close();
    await parts.catalogue().load();
  };
  return {
    async signIn(username, password) {
      planner.setSession(await planner.api.login(username, password));
      store.set({ expired: false, notice: { key: 'notice.signed-in' } });
      await startOver();
    },
    async signOut() {
      await planner.api.logout();
      planner.setSession(await planner.api.session());
      store.set({ expired: false, notice: { key: 'notice.signed-out' } });
      await startOver();
    },
    async check() {
      const before = store.get().session;
      const now = await planner.api.session();
      const lost = before?.user !== null && before !== null && now.user === null;
      planner.setSession(now);
      store.set({ expired: (store.get().expired || lost) && now.user === null });
    },
  };
}
