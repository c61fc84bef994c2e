/** Work of a person that is not yet on the server, kept in this browser until the server has taken it. */
export interface Kept<T> {
  read: () => T | null;
  write: (value: T) => void;
  forget: () => void;
}

type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** A place for such work. Storage that is full or forbidden costs it on reloading, nothing else. */
export function keptWork<T>(name: string, isWork: (value: unknown) => value is T, storage: Shelf): Kept<T> {
  const key = `onemap.${name}`;
  const quietly = <R>(work: () => R): R | null => {
    try {
      return work();
    } catch {
      return null;
    }
  };
  return {
    read: () =>
      quietly(() => {
        const found: unknown = JSON.parse(storage.getItem(key) ?? 'null');
        return isWork(found) ? found : null;
      }),
    write: (value) => void quietly(() => storage.setItem(key, JSON.stringify(value))),
    forget: () => void quietly(() => storage.removeItem(key)),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
