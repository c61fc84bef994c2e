import type { Item } from '@onemap/core';

import type { Desk } from '../../desk';

export interface Division {
  code: string;
  name: string;
}

let known: Promise<Division[]> | null = null;

/** Districts to choose from, as far as the caller may see them; any other code can be typed. */
export function divisions(desk: Desk): Promise<Division[]> {
  known ??= desk.http
    .get<{ features: Item[] }>('/ogc/collections/division_district/items', { query: { limit: '500', f: 'json' }, etag: null })
    .then(({ body }) => (body?.features ?? []).map(({ properties }) => ({ code: String(properties.code ?? ''), name: String(properties.name ?? '') })).filter(({ code }) => code))
    .catch(() => {
      known = null;
      return [];
    });
  return known;
}
