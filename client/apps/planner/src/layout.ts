import { reactive, type InjectionKey } from 'vue';

/** Below this width the docks lie over the map, one at a time. */
export const COMPACT_QUERY = '(max-width: 1023px)';

export interface Layout {
  compact: boolean;
  left: boolean;
  right: boolean;
  leftWidth: number;
  rightWidth: number;
  trayHeight: number;
  /** The layer whose details are shown. */
  selected: string | null;
}

export type Pane = 'left' | 'right';

export const LAYOUT: InjectionKey<Layout> = Symbol('layout');

export function createLayout(): Layout {
  const compact = matchMedia(COMPACT_QUERY);
  const layout = reactive<Layout>({
    compact: compact.matches,
    left: !compact.matches,
    right: false,
    leftWidth: 280,
    rightWidth: 360,
    trayHeight: 240,
    selected: null,
  });
  compact.addEventListener('change', () => {
    layout.compact = compact.matches;
    layout.left = !compact.matches;
  });
  return layout;
}

/** Open or close a dock; where they lie over the map, one makes room for the other. */
export function showPane(layout: Layout, pane: Pane, open: boolean): void {
  layout[pane] = open;
  if (open && layout.compact) layout[pane === 'left' ? 'right' : 'left'] = false;
}
