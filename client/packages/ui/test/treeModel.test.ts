import { expect, test } from 'vitest';

import { groupByTheme, mergeChoices } from '@onemap/core';
import { catalogue } from '@onemap/testing';
import { treeRows } from '../src/treeModel';

const layers = catalogue(true, 1);
const groups = groupByTheme(layers);
const choices = { ...mergeChoices(layers, {}, undefined), road: { visible: false, opacity: 100 } };

test('rows say their level, place and state', () => {
  const rows = treeRows(groups, choices, new Set(), 'zh-CN');
  expect(rows.map(({ id, checked }) => [id, checked])).toEqual([
    ['theme:base', 'mixed'],
    ['layer:facility', 'true'],
    ['layer:road', 'false'],
    ['layer:building', 'true'],
    ['layer:division_district', 'true'],
    ['theme:plan', 'true'],
    ['layer:parcel', 'true'],
  ]);
  expect(rows[2]).toMatchObject({ label: '道路中心线', level: 2, position: 2, siblings: 4, layer: 'road' });
});

test('a collapsed theme hides its layers and still says what is on', () => {
  const rows = treeRows(groups, choices, new Set(['theme:base']), 'en');
  expect(rows.map(({ label }) => label)).toEqual(['Base', 'Plans', 'Planning parcels']);
  expect(rows[0]).toMatchObject({ expanded: false, checked: 'mixed' });
});
