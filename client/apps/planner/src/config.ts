import type { Language } from '@onemap/core';

/** What the page's template hands to the program. */
export interface PageConfig {
  language: Language;
  csrfToken: string;
}

export function readConfig(page: Document): PageConfig {
  const text = page.getElementById('onemap-config')?.textContent ?? '{}';
  const config = JSON.parse(text) as Partial<PageConfig>;
  return { language: config.language === 'en' ? 'en' : 'zh-CN', csrfToken: config.csrfToken ?? '' };
}
