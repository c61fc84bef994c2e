import { expect, test } from 'vitest';

import type { LayerInfo } from '../src/api/types';
import { drawnLayers, filterLayers, groupByTheme, groupState, mergeChoices, movedLayers, visibleLayers } from '../src/layers';

const base = { code: 'base', title_zh: '基础地理', title_en: 'Base', order: 1 };
const plan = { code: 'plan', title_zh: '规划成果', title_en: 'Plans', order: 2 };

function layer(name: string, order: number, more: Partial<LayerInfo> = {}): LayerInfo {
  const sketch = { name, order, theme: base, title_zh: `${name} 图层`, title_en: name, visible: true, revision: 1 };
  return { ...sketch, ...more } as LayerInfo;
}

const road = layer('road', 2);
const building = layer('building', 1, { title_zh: '建筑物' });
const parcel = layer('parcel', 3, { theme: plan, visible: false });
const all = [parcel, building, road];

test('themes follow their order, layers the drawing order, top first', () => {
  expect(groupByTheme(all).map(({ theme, layers }) => [theme.code, layers.map(({ name }) => name)])).toEqual([
    ['base', ['road', 'building']],
    ['plan', ['parcel']],
  ]);
});

test('a table is no layer of the map', () => {
  const table = layer('owner', 4, { geometry: 'table' });
  expect(drawnLayers([parcel, table, road]).map(({ name }) => name)).toEqual(['parcel', 'road']);
});

test('without a link the catalogue decides what is on', () => {
  expect(visibleLayers(all, mergeChoices(all, {}, undefined)).map(({ name }) => name)).toEqual(['road', 'building']);
});

test('a link decides for all layers and their opacity', () => {
  const choices = mergeChoices(all, {}, [{ name: 'parcel', opacity: 40 }]);
  expect(choices).toEqual({
    parcel: { visible: true, opacity: 40 },
    building: { visible: false, opacity: 100 },
    road: { visible: false, opacity: 100 },
  });
});

test('a new catalogue keeps what was chosen and forgets layers that are gone', () => {
  const choices = mergeChoices([road], { road: { visible: false, opacity: 30 }, old: { visible: true, opacity: 100 } }, undefined);
  expect(choices).toEqual({ road: { visible: false, opacity: 30 } });
});

test('a theme is on, off or mixed', () => {
  const state = (roadOn: boolean, buildingOn: boolean): string =>
    groupState([road, building], { road: { visible: roadOn, opacity: 100 }, building: { visible: buildingOn, opacity: 100 } });
  expect([state(true, true), state(false, false), state(true, false)]).toEqual(['true', 'false', 'mixed']);
});

test('the filter looks at titles and names', () => {
  expect(filterLayers(all, '建筑', 'zh-CN')).toEqual([building]);
  expect(filterLayers(all, 'ROAD', 'en')).toEqual([road]);
  expect(filterLayers(all, '  ', 'en')).toBe(all);
});

test('moved layers are those with another revision, not the new ones', () => {
  expect(movedLayers([road, building], [{ ...road, revision: 2 }, building, parcel])).toEqual(['road']);
});
