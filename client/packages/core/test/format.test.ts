import { describe, expect, test } from 'vitest';

import { formatNumber, formatScale, formatTime, formatValue, inLanguage, parseScale, resolutionOfScale, scaleOfResolution } from '../src/format';

const THIN = '\u202f';

describe('scale box', () => {
  test.each([
    ['1:2000', 2000],
    ['1：2,000', 2000],
    [' 2000 ', 2000],
    ['1/500', 500],
    [`1:40${THIN}900`, 40900],
  ])('reads %s', (text, expected) => expect(parseScale(text)).toBe(expected));

  test.each(['', 'abc', '1:', '0', '-5', '1:2000m', '2000.5', '1e4', '99999999999'])('refuses %s', (text) =>
    expect(parseScale(text)).toBeNull(),
  );

  test('a scale and its resolution are one thing', () => {
    expect(scaleOfResolution(resolutionOfScale(2000))).toBeCloseTo(2000, 9);
    expect(resolutionOfScale(16000)).toBeCloseTo(4.48, 12);
  });

  test('whole scales are shown as they are, others with three figures', () => {
    expect(formatScale(2000)).toBe(`1:2${THIN}000`);
    expect(formatScale(40933.2)).toBe(`1:40${THIN}900`);
    expect(formatScale(22627.4)).toBe(`1:22${THIN}600`);
  });
});

describe('values', () => {
  const area = { name: 'area', alias_zh: '面积', alias_en: 'Area', type: 'number', unit: 'm²' };

  test('numbers carry their unit, text that looks like a number stays text', () => {
    expect(formatValue(33856, area)).toBe(`33${THIN}856 m²`);
    expect(formatValue('440304001180', undefined)).toBe('440304001180');
  });

  test('a year is not grouped', () => expect(formatValue(2021, undefined)).toBe('2021'));

  test('what is missing is a dash, what is zero is not', () => {
    expect(formatValue(null, area)).toBe('—');
    expect(formatValue('', area)).toBe('—');
    expect(formatValue(0, area)).toBe('0 m²');
  });

  test('binary noise of decimals is not shown', () => expect(formatNumber(0.1 + 0.2)).toBe('0.3'));

  test('markup in a value stays text', () => expect(formatValue('<img src=x>', undefined)).toBe('<img src=x>'));
});

test('today shows the hour, other days the date too', () => {
  const now = new Date(2026, 10, 23, 15, 0);
  expect(formatTime(new Date(2026, 10, 23, 9, 5).toISOString(), now)).toBe('09:05');
  expect(formatTime(new Date(2026, 10, 22, 9, 5).toISOString(), now)).toBe('2026-11-22 09:05');
  expect(formatTime('no time', now)).toBe('—');
});

test('a missing translation falls back to the other language', () => {
  expect(inLanguage({ title_zh: '道路', title_en: '' }, 'title', 'en')).toBe('道路');
});
