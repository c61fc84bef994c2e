import { groupState, inLanguage, type Language, type LayerChoices, type ThemeGroup, type Tristate } from '@onemap/core';

import type { TreeRow } from './treeKeys';

export interface LayerRow extends TreeRow {
  /** Name of the layer; null for a theme. */
  layer: string | null;
  checked: Tristate;
}

export const THEME_ID = 'theme:';
export const LAYER_ID = 'layer:';

/** The rows of the layer tree from top to bottom, without the children of collapsed themes. */
export function treeRows(
  groups: ThemeGroup[],
  choices: LayerChoices,
  collapsed: ReadonlySet<string>,
  language: Language,
): LayerRow[] {
  return groups.flatMap(({ theme, layers }, position) => {
    const id = THEME_ID + theme.code;
    const expanded = !collapsed.has(id);
    const head: LayerRow = {
      id,
      label: inLanguage(theme, 'title', language),
      level: 1,
      expanded,
      position: position + 1,
      siblings: groups.length,
      layer: null,
      checked: groupState(layers, choices),
    };
    if (!expanded) return [head];
    const rows = layers.map((layer, index): LayerRow => ({
      id: LAYER_ID + layer.name,
      label: inLanguage(layer, 'title', language),
      level: 2,
      expanded: null,
      position: index + 1,
      siblings: layers.length,
      layer: layer.name,
      checked: choices[layer.name]?.visible ? 'true' : 'false',
    }));
    return [head, ...rows];
  });
}
