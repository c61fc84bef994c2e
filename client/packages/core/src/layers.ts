import type { LayerInfo, ThemeInfo } from './api/types';
import type { Link } from './hash';
import { inLanguage, type Language } from './format';

/** What the person at the screen has chosen for one layer. */
export interface LayerChoice {
  visible: boolean;
  /** Percent. */
  opacity: number;
}

export type LayerChoices = Readonly<Record<string, LayerChoice>>;

export interface ThemeGroup {
  theme: ThemeInfo;
  layers: LayerInfo[];
}

/** Choices for a new catalogue: what was chosen stays, what is new follows the link or the server. */
export function mergeChoices(layers: LayerInfo[], before: LayerChoices, link: Link['layers']): LayerChoices {
  const linked = link ? new Map(link.map((entry) => [entry.name, entry.opacity])) : null;
  const choose = (layer: LayerInfo): LayerChoice => {
    const kept = before[layer.name];
    if (kept) return kept;
    if (linked) return { visible: linked.has(layer.name), opacity: linked.get(layer.name) ?? 100 };
    return { visible: layer.visible, opacity: 100 };
  };
  return Object.fromEntries(layers.map((layer) => [layer.name, choose(layer)]));
}

/** A layer whose tiles show the map with a changeset. */
export function withChangeset(layer: LayerInfo, changeset: number | null): LayerInfo {
  if (changeset === null) return layer;
  return { ...layer, tiles: `${layer.tiles}${layer.tiles.includes('?') ? '&' : '?'}changeset=${changeset}` };
}

/** The layers that a map can draw. */
export function drawnLayers(layers: LayerInfo[]): LayerInfo[] {
  return layers.filter((layer) => layer.geometry !== 'table');
}

/** Layers by theme in the catalogue's order; inside a theme the one drawn on top comes first. */
export function groupByTheme(layers: LayerInfo[]): ThemeGroup[] {
  const groups = new Map<string, ThemeGroup>();
  for (const layer of layers) {
    const group = groups.get(layer.theme.code) ?? { theme: layer.theme, layers: [] };
    group.layers.push(layer);
    groups.set(layer.theme.code, group);
  }
  for (const group of groups.values()) group.layers.sort((a, b) => b.order - a.order);
  return [...groups.values()].sort((a, b) => a.theme.order - b.theme.order);
}

/** Keep the layers whose title or name holds the words typed. */
export function filterLayers(layers: LayerInfo[], words: string, language: Language): LayerInfo[] {
  const wanted = words.trim().toLowerCase();
  if (!wanted) return layers;
  return layers.filter((layer) =>
    [layer.name, inLanguage(layer, 'title', language)].some((text) => text.toLowerCase().includes(wanted)),
  );
}

export type Tristate = 'true' | 'false' | 'mixed';

export function groupState(layers: LayerInfo[], choices: LayerChoices): Tristate {
  const on = layers.filter((layer) => choices[layer.name]?.visible).length;
  if (on === 0) return 'false';
  return on === layers.length ? 'true' : 'mixed';
}

/** Layers shown now, top first, as the link and the legend want them. */
export function visibleLayers(layers: LayerInfo[], choices: LayerChoices): LayerInfo[] {
  return layers.filter((layer) => choices[layer.name]?.visible).sort((a, b) => b.order - a.order);
}

/** Names whose data moved between two catalogues. */
export function movedLayers(before: LayerInfo[], after: LayerInfo[]): string[] {
  const revisions = new Map(before.map((layer) => [layer.name, layer.revision]));
  return after
    .filter((layer) => revisions.has(layer.name) && revisions.get(layer.name) !== layer.revision)
    .map((layer) => layer.name);
}
