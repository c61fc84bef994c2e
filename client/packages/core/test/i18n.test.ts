import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import en from '../../../locales/en.json';
import zh from '../../../locales/zh-CN.json';
import { startLanguage, translator } from '../src/i18n';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const parameters = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test('both languages have the same keys, with the same parameters, none empty', () => {
  expect(Object.keys(en)).toEqual(Object.keys(zh));
  for (const [key, text] of Object.entries(zh)) {
    const other = (en as Record<string, string>)[key] ?? '';
    expect(parameters(other), key).toEqual(parameters(text));
    expect(text.trim().length * other.trim().length, key).toBeGreaterThan(0);
  }
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/src\/.*\.(ts|vue)$/.test(path) && !path.includes('node_modules'))
    .map((path) => readFileSync(`${folder}/${path}`, 'utf8'));
}

test('every key used in the code exists, and every key that exists is used', () => {
  const code = [...sources(`${ROOT}/apps`), ...sources(`${ROOT}/packages`)].join('\n');
  const used = new Set([...code.matchAll(/(?:\bt\(|key: |key = [^'\n]*|\? )'([a-z-]+\.[a-z.-]+)'/g)].map((match) => match[1]!));
  expect([...used].filter((key) => !(key in zh))).toEqual([]);
  expect(Object.keys(zh).filter((key) => !code.includes(`'${key}'`) && !key.startsWith('secrecy.'))).toEqual([]);
});

test('English text is written without Chinese, and Chinese text with it', () => {
  expect(Object.entries(en).filter(([, text]) => /\p{Script=Han}/u.test(text))).toEqual([]);
  expect(Object.entries(zh).filter(([, text]) => !/\p{Script=Han}/u.test(text))).toEqual([]);
});

test('parameters are put in, missing keys and parameters show themselves', () => {
  const t = translator({ found: '找到 {count} 个' });
  expect(t('found', { count: 3 })).toBe('找到 3 个');
  expect(t('found')).toBe('找到 {count} 个');
  expect(t('no.such')).toBe('no.such');
});

test('the address decides the language before the server does', () => {
  expect(startLanguage('?lang=en', '#lang=zh-CN', 'zh-CN')).toBe('en');
  expect(startLanguage('', '#c=1,2&lang=en', 'zh-CN')).toBe('en');
  expect(startLanguage('', '', 'en')).toBe('en');
  expect(startLanguage('?lang=fr', '', undefined)).toBe('zh-CN');
});
