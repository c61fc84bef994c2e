import type { Language } from './format';

export type Messages = Record<string, string>;
export type Parameters = Record<string, string | number>;
export type Translate = (key: string, parameters?: Parameters) => string;

/** A translator over flat message files: `{name}` is replaced, a missing key shows itself. */
export function translator(messages: Messages): Translate {
  return (key, parameters = {}) =>
    (messages[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in parameters ? String(parameters[name]) : whole,
    );
}

/** The language to start with: the address first, then what the server chose for this person. */
export function startLanguage(search: string, hash: string, configured: string | undefined): Language {
  const asked =
    new URLSearchParams(search).get('lang') ?? new URLSearchParams(hash.replace(/^#/, '')).get('lang') ?? configured ?? '';
  return asked.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
}
