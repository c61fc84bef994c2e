/** What is known of a file that was chosen before: the page may have been loaded anew since. */
export interface Remembered {
  name: string;
  size: number;
  modified: number;
  sha256: string;
  token: string;
  at: number;
}

const KEY = 'onemap.uploads';
const KEPT_MS = 7 * 86_400_000;
const MOST = 5_000;

function isRemembered(value: unknown): value is Remembered {
  const one = value as Partial<Remembered> | null;
  return typeof one?.name === 'string' && typeof one.sha256 === 'string' && typeof one.at === 'number';
}

export interface Memory {
  all: () => Remembered[];
  find: (name: string, size: number, modified: number) => Remembered | null;
  keep: (one: Omit<Remembered, 'at'>) => void;
  forget: (names: ReadonlySet<string>) => void;
}

/** Uploads under way, kept in the browser as long as the server keeps their bytes. */
export function createMemory(storage: Pick<Storage, 'getItem' | 'setItem'>, now: () => number = Date.now): Memory {
  const read = (): Remembered[] => {
    try {
      const found: unknown = JSON.parse(storage.getItem(KEY) ?? '[]');
      return Array.isArray(found) ? found.filter(isRemembered).filter((one) => now() - one.at < KEPT_MS) : [];
    } catch {
      return [];
    }
  };
  const write = (list: Remembered[]): void => {
    try {
      storage.setItem(KEY, JSON.stringify(list.slice(-MOST)));
    } catch {
      // A full or forbidden storage costs reading the files again, nothing else.
    }
  };
  const same = (name: string, size: number, modified: number) => (one: Remembered) =>
    one.name === name && one.size === size && one.modified === modified;
  return {
    all: read,
    find: (name, size, modified) => read().find(same(name, size, modified)) ?? null,
    keep: (one) => write([...read().filter((old) => !same(one.name, one.size, one.modified)(old)), { ...one, at: now() }]),
    forget: (names) => write(read().filter((one) => !names.has(one.name))),
  };
}
