// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApp, h, nextTick, ref, type App } from 'vue';

import LayerTree from '../src/LayerTree.vue';
import type { LayerRow } from '../src/treeModel';

const rows: LayerRow[] = [
  { id: 'theme:base', label: '基础地理', level: 1, expanded: true, position: 1, siblings: 1, layer: null, checked: 'mixed' },
  { id: 'layer:road', label: '道路', level: 2, expanded: null, position: 1, siblings: 2, layer: 'road', checked: 'true' },
  { id: 'layer:parcel', label: '地块', level: 2, expanded: null, position: 2, siblings: 2, layer: 'parcel', checked: 'false' },
];

let app: App;
let root: HTMLElement;
const told = ref<unknown[]>([]);

beforeEach(() => {
  told.value = [];
  root = document.body.appendChild(document.createElement('div'));
  const tell = (...parts: unknown[]): void => void told.value.push(parts);
  const listeners = {
    onCheck: (row: LayerRow) => tell('check', row.id),
    onSelect: (layer: string) => tell('select', layer),
    onExpand: (id: string, open: boolean) => tell('expand', id, open),
  };
  app = createApp({ render: () => h(LayerTree, { rows, label: '图层', selected: 'road', ...listeners }) });
  app.mount(root);
});

afterEach(() => {
  app.unmount();
  root.remove();
});

const items = (): HTMLElement[] => [...root.querySelectorAll<HTMLElement>('[role=treeitem]')];

async function press(key: string): Promise<void> {
  document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  await nextTick();
  await nextTick();
}

test('the tree is one tab stop and says level, place and state of each row', () => {
  expect(items().map((item) => item.tabIndex)).toEqual([0, -1, -1]);
  const attributes = (item: HTMLElement): (string | null)[] =>
    ['aria-level', 'aria-posinset', 'aria-setsize', 'aria-expanded', 'aria-checked'].map((name) => item.getAttribute(name));
  expect(items().map(attributes)).toEqual([
    ['1', '1', '1', 'true', 'mixed'],
    ['2', '1', '2', null, 'true'],
    ['2', '2', '2', null, 'false'],
  ]);
});

test('arrows walk, space toggles, enter selects, left goes to the theme and closes it', async () => {
  items()[0]?.focus();
  await press('ArrowDown');
  await press('ArrowDown');
  expect(document.activeElement).toBe(items()[2]);
  await press(' ');
  await press('Enter');
  await press('ArrowLeft');
  expect(document.activeElement).toBe(items()[0]);
  await press('ArrowLeft');
  expect(told.value).toEqual([
    ['check', 'layer:parcel'],
    ['select', 'parcel'],
    ['expand', 'theme:base', false],
  ]);
});

test('a click on the box toggles, a click on the name selects', () => {
  items()[1]?.querySelector<HTMLElement>('.tree-check')?.click();
  items()[1]?.querySelector<HTMLElement>('.tree-label')?.click();
  expect(told.value).toEqual([
    ['check', 'layer:road'],
    ['select', 'road'],
  ]);
});
