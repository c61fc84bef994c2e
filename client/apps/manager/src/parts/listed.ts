import type { Language } from '@onemap/core';

/** Several words in a row, as the language separates them. */
export function listed(words: readonly string[], language: Language): string {
  return words.join(language === 'en' ? ', ' : '、');
}
