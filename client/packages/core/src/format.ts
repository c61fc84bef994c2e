import type { Box, FieldInfo, PropertyValue } from './api/types';

/** OGC's standard pixel, metres: the one that turns a resolution into a scale. */
const STANDARD_PIXEL_M = 0.00028;

export type Language = 'zh-CN' | 'en';

export function scaleOfResolution(metresPerPixel: number): number {
  return metresPerPixel / STANDARD_PIXEL_M;
}

export function resolutionOfScale(denominator: number): number {
  return denominator * STANDARD_PIXEL_M;
}

/** Read what people type into a scale box: `1:2000`, `1：2,000`, `2000`, `1/2000`. null when it is none. */
export function parseScale(text: string): number | null {
  const match = /^(?:1\s*[:：/])?\s*(\d[\d,，\s]*)$/.exec(text.trim());
  if (!match?.[1]) return null;
  const value = Number(match[1].replace(/[,，\s]/g, ''));
  return value >= 1 && value <= 1e9 ? value : null;
}

export function formatScale(denominator: number): string {
  const digits = denominator >= 1000 ? 3 : 2;
  const magnitude = 10 ** Math.max(0, Math.floor(Math.log10(denominator)) + 1 - digits);
  const exact = Math.round(denominator);
  // A whole scale such as 1:2500 is shown as it is; others keep three figures.
  const near = Math.abs(denominator - exact) < 0.01 && exact % 50 === 0;
  const shown = near ? exact : Math.round(denominator / magnitude) * magnitude;
  return `1:${formatNumber(shown)}`;
}

/** Thin grouping as the design asks: a narrow no-break space, the same in both languages. */
export function formatNumber(value: number, decimals?: number): string {
  const fixed = decimals === undefined ? String(Math.round(value * 1e6) / 1e6) : value.toFixed(decimals);
  const [whole = '', fraction] = fixed.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export function formatMetres(value: number): string {
  return value.toFixed(3);
}

export function formatDegrees(value: number): string {
  return value.toFixed(6);
}

function formatQuantity(value: number, unit: string | null): string {
  // Four digits are often a year or a code; grouping starts above.
  const text = Number.isInteger(value) && Math.abs(value) < 10_000 ? String(value) : formatNumber(value);
  return unit ? `${text} ${unit}` : text;
}

function isBlank(value: PropertyValue | undefined): value is null | undefined | '' {
  return value === null || value === undefined || value === '';
}

/** A cell of an attribute table. Identifiers are text and stay untouched; numbers get their unit. */
export function formatValue(value: PropertyValue | undefined, field: FieldInfo | undefined): string {
  if (isBlank(value)) return '—';
  switch (typeof value) {
    case 'number':
      return formatQuantity(value, field?.unit ?? null);
    case 'boolean':
      return value ? '✓' : '✗';
    case 'object':
      return JSON.stringify(value);
    default:
      return value;
  }
}

/** Absolute local time, 24 h: hours and minutes today, the date as well on other days. */
export function formatTime(iso: string | number | null, now: Date = new Date()): string {
  if (iso === null) return '—';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '—';
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return at.toDateString() === now.toDateString() ? clock : `${day} ${clock}`;
}

const NUMERIC = new Set(['integer', 'real', 'number']);

export function isNumeric(field: FieldInfo): boolean {
  return NUMERIC.has(field.type);
}

export function inLanguage(thing: object, key: string, language: Language): string {
  const texts = thing as Record<string, unknown>;
  const own = texts[`${key}_${language === 'en' ? 'en' : 'zh'}`];
  const other = texts[`${key}_${language === 'en' ? 'zh' : 'en'}`];
  if (typeof own === 'string' && own !== '') return own;
  return typeof other === 'string' ? other : '';
}

export function boxIsEmpty(box: Box): boolean {
  return !(box[2] > box[0] && box[3] > box[1]);
}
