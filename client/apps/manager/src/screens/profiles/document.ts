import type { ProfileDocument } from '../../api/profiles';

/** A text as a profile's document, or why it is none. */
export function documentOf(text: string): { document: ProfileDocument | null; why: string } {
  if (!text.trim()) return { document: null, why: '' };
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return { document: null, why: '{ }' };
    return { document: found as ProfileDocument, why: '' };
  } catch (cause) {
    return { document: null, why: (cause as Error).message };
  }
}

/** What a new profile starts from. */
export function emptyDocument(department: string): ProfileDocument {
  return {
    version: 1,
    title_zh: '',
    title_en: '',
    department,
    mode: 'replace',
    parts: [{ source: '', kind: 'layer', layer: '', title_zh: '', required: true, key: '' }],
  };
}
