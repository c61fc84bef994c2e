import type { Position } from './api/types';
import type { Language } from './format';

/** What a link to the map carries. */
export interface Link {
  center?: Position;
  /** Scale denominator. */
  scale?: number;
  /** Visible layers with their opacity in percent. */
  layers?: { name: string; opacity: number }[];
  feature?: { layer: string; fid: number };
  /** The map is shown with this changeset. */
  changeset?: number;
  language?: Language;
}

const NAME = /^[a-z][a-z0-9_]{0,47}$/;

/** Write the link part after `#`; metres to the decimetre are finer than any screen. */
export function writeHash(link: Link): string {
  const parts: string[] = [];
  if (link.center) parts.push(`c=${link.center.map((value) => value.toFixed(1)).join(',')}`);
  if (link.scale) parts.push(`s=${Math.round(link.scale)}`);
  if (link.layers) {
    const names = link.layers.map(({ name, opacity }) => (opacity === 100 ? name : `${name}:${opacity}`));
    parts.push(`l=${names.join(',')}`);
  }
  if (link.feature) parts.push(`f=${link.feature.layer}.${link.feature.fid}`);
  if (link.changeset) parts.push(`changeset=${link.changeset}`);
  if (link.language) parts.push(`lang=${link.language}`);
  return `#${parts.join('&')}`;
}

function readCenter(text: string | null): Position | undefined {
  const numbers = (text ?? '').split(',').map(Number);
  const [x, y] = numbers;
  const usable = numbers.length === 2 && numbers.every((value) => Number.isFinite(value) && Math.abs(value) < 1e8);
  return usable && x !== undefined && y !== undefined ? [x, y] : undefined;
}

function readLayer(text: string): { name: string; opacity: number } | null {
  const [name = '', percent = '100'] = text.split(':');
  const opacity = Number(percent);
  if (!NAME.test(name) || !Number.isInteger(opacity) || opacity < 0 || opacity > 100) return null;
  return { name, opacity };
}

function readFeature(text: string | null): Link['feature'] {
  const [layer = '', fid = ''] = (text ?? '').split('.');
  return NAME.test(layer) && /^[1-9]\d{0,14}$/.test(fid) ? { layer, fid: Number(fid) } : undefined;
}

function readChangeset(text: string | null): Pick<Link, 'changeset'> {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? { changeset: Number(text) } : {};
}

/** Read a link; parts that are not well formed are left out, never guessed. */
export function readHash(hash: string): Link {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const link: Link = readChangeset(parts.get('changeset'));
  const center = readCenter(parts.get('c'));
  const scale = Number(parts.get('s'));
  const layers = parts.get('l');
  const feature = readFeature(parts.get('f'));
  const language = parts.get('lang');
  if (center) link.center = center;
  if (scale >= 1 && scale <= 1e8) link.scale = scale;
  if (layers !== null) link.layers = layers.split(',').flatMap((text) => readLayer(text) ?? []);
  if (feature) link.feature = feature;
  if (language === 'en' || language === 'zh-CN') link.language = language;
  return link;
}
