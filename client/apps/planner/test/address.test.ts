import { expect, test } from 'vitest';

import { catalogue } from '@onemap/testing';
import { mergeChoices, writeHash } from '@onemap/core';
import { linkOf } from '../src/address';
import { featureName } from '../src/featureName';
import { initialState, type FoundFeature, type PlannerState } from '../src/state';

const layers = catalogue(true, 1);
const view = { center: [506000, 2494000] as [number, number], resolution: 0.56, extent: [0, 0, 1, 1] as [number, number, number, number] };
const state: PlannerState = { ...initialState('zh-CN', true, null), layers, choices: mergeChoices(layers, {}, undefined), view };
const found: FoundFeature = { layer: 'building', fid: 7, properties: { name: '', floors: 3 }, geometry: null, geometryCrs: 'storage' };

test('with nothing chosen the link leaves layers to the catalogue', () => {
  expect(writeHash(linkOf(state))).toBe('#c=506000.0,2494000.0&s=2000&lang=zh-CN');
});

test('a chosen opacity and a found feature are part of the link', () => {
  const choices = { ...state.choices, road: { visible: true, opacity: 50 }, parcel: { visible: false, opacity: 100 } };
  const identify = { ...state.identify, found: [found], index: 0 };
  expect(writeHash(linkOf({ ...state, choices, identify, language: 'en' }))).toBe(
    '#c=506000.0,2494000.0&s=2000&l=facility,road:50,building,division_district&f=building.7&lang=en',
  );
});

test('a feature is called by its label, else by its first text, else by its number', () => {
  const building = layers.find(({ name }) => name === 'building');
  expect(featureName({ ...found, properties: { name: '创业花园1栋' } }, building)).toBe('创业花园1栋');
  expect(featureName(found, building)).toBe('#7');
});
