import {
  scaleOfResolution,
  visibleLayers,
  writeHash,
  type Language,
  type LayerChoices,
  type LayerInfo,
  type Link,
} from '@onemap/core';

import type { PlannerState } from './state';

/** Nothing was chosen: then the link leaves it open, and layers that come with signing in follow the catalogue. */
function isDefault(layers: LayerInfo[], choices: LayerChoices): boolean {
  return layers.every(({ name, visible }) => choices[name]?.visible === visible && choices[name].opacity === 100);
}

function shownLayers(layers: LayerInfo[], choices: LayerChoices): { name: string; opacity: number }[] {
  return visibleLayers(layers, choices).map(({ name }) => ({ name, opacity: choices[name]?.opacity ?? 100 }));
}

/** The part of the state that a link carries. */
export function linkOf(state: PlannerState): Link {
  const { view, identify, layers, choices, changeset, language } = state;
  const shown = identify.found[identify.index];
  return {
    ...(view ? { center: view.center, scale: scaleOfResolution(view.resolution) } : {}),
    ...(isDefault(layers, choices) ? {} : { layers: shownLayers(layers, choices) }),
    ...(shown ? { feature: { layer: shown.layer, fid: shown.fid } } : {}),
    ...(changeset === null ? {} : { changeset }),
    language,
  };
}

/** Keep the address a link to what is on screen, without filling the history. */
export function writeAddress(state: PlannerState, place: Location): void {
  if (!state.view) return;
  const hash = writeHash(linkOf(state));
  if (hash === place.hash) return;
  history.replaceState(history.state, '', place.pathname + searchWith(place.search, state.language) + hash);
}

function searchWith(search: string, language: Language): string {
  const parts = new URLSearchParams(search);
  if (parts.has('lang')) parts.set('lang', language);
  return parts.size ? `?${parts}` : '';
}

const YEAR_S = 31_536_000;

/** The server's pages follow the same choice. */
export function rememberLanguage(language: Language, page: Document): void {
  page.documentElement.lang = language;
  page.cookie = `onemap_language=${language}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
}
