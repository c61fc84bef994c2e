import { expect, test } from 'vitest';

import type { Grant } from '../src/api/layerTypes';
import { csvText } from '../src/parts/files';
import { addressOf, csvOf, inForce, keyOf, treeRows } from '../src/screens/codes/rows';
import { areaOf, askedOf, formatsFor } from '../src/screens/layers/export';
import { emptyGrant, givenAgain, givenOf, grantFaults, withNeeds } from '../src/screens/layers/grants';
import { differing, formOf, freshness, recordOf } from '../src/screens/layers/words';
import { documentOf, emptyDocument } from '../src/screens/profiles/document';
import { fieldText, passwordsCsv } from '../src/screens/people/words';
import { draftOf, factsOf, missingOf, rhythmOf } from '../src/screens/pulls/draft';

const code = (name: string, parent = '', title = name): { code: string; title_zh: string; title_en: string; parent: string; colour: string; selectable: boolean; mark: string } => ({ code: name, title_zh: title, title_en: '', parent, colour: '', selectable: parent !== '', mark: '' });
const VALUES = [code('01', '', '耕地'), code('0101', '01', '水田'), code('02', '', '园地')];
const TREE = [{ code: '01', children: [{ code: '0101', children: [] }] }, { code: '02', children: [] }];

test('a tree of codes shows what is open, or all that words are found in', () => {
  const values = new Map(VALUES.map((one) => [one.code, one]));
  const shown = (closed: string[], words: string): string[] => treeRows(TREE, values, new Set(closed), words).map(({ value, depth }) => `${depth} ${value.code}`);
  expect(shown([], '')).toEqual(['0 01', '1 0101', '0 02']);
  expect(shown(['01'], '')).toEqual(['0 01', '0 02']);
  expect(shown(['01'], '水田')).toEqual(['1 0101']);
});

test('an edition ends before the day it is valid to', () => {
  const line = { valid_from: '2017-11-01', valid_to: '2023-11-22' };
  expect(['2017-10-31', '2017-11-01', '2023-11-21', '2023-11-22'].map((day) => inForce(line, day))).toEqual(['ahead', 'now', 'now', 'ended']);
  expect(inForce({ valid_from: null, valid_to: null }, '2026-01-01')).toBe('now');
});

test('an edition is written as the text it can be sent as, and its address is read back', () => {
  expect(csvOf([VALUES[1]!]).split('\r\n').slice(0, 2)).toEqual(['code,title_zh,title_en,parent,colour,selectable', '0101,水田,,01,,yes']);
  expect(keyOf(decodeURIComponent(addressOf({ code: 'landuse-sd', edition: '2023' }).slice('#/codes/'.length)))).toEqual({ code: 'landuse-sd', edition: '2023' });
});

test('no cell of a file runs as a formula', () => {
  expect(csvText([['=1+1', 'a,b', '"']])).toBe('\'=1+1,"a,b",""""\r\n');
  expect(passwordsCsv({ lin: 'x' }, ['用户名', '密码'])).toBe('用户名,密码\r\nlin,x\r\n');
});

test('a layer is late by its promised rhythm alone', () => {
  const now = Date.parse('2026-11-23T00:00:00Z');
  expect(freshness('2026-11-20T00:00:00Z', 365, now)).toEqual({ state: 'fresh', days: 362 });
  expect(freshness('2026-11-01T00:00:00Z', 7, now)).toEqual({ state: 'late', days: 15 });
  expect(freshness(null, 7, now).state).toBe('late');
  expect(freshness(null, null, now).state).toBe('open');
});

test('a record of metadata survives the form, and differences are named by part', () => {
  const form = formOf({ title_zh: '宗地', keywords: ['地籍', '权属'] });
  expect(form.keywords).toBe('地籍；权属');
  expect(recordOf({ ...form, keywords: '地籍； 权属, 宗地' }).keywords).toEqual(['地籍', '权属', '宗地']);
  expect(differing(form, { ...form, contact: '0755' })).toEqual(['contact']);
});

test('a right brings what it needs, and says what is missing', () => {
  expect(withNeeds([], 'publish').sort()).toEqual(['edit', 'publish', 'query', 'view']);
  expect(grantFaults({ ...emptyGrant(), actions: [] })).toEqual(['who', 'actions']);
  expect(grantFaults({ ...emptyGrant(), kind: 'public' })).toEqual([]);
  expect(givenOf({ ...emptyGrant(), who: 'water', division: '440304' })).toEqual({ to: 'department:water', actions: ['view', 'query'], fields: null, area: { division: '440304' }, until: null });
});

test('a right taken back is given again as it was, unless its area was drawn', () => {
  const grant: Grant = { id: 1, to: 'role:planner', to_name: '规划', to_name_en: 'Plan', actions: ['view'], fields: ['code'], area_label: 'division:440304', until: null, ended: false, created_by: 'x', created_at: '', on: 'layer' };
  expect(givenAgain(grant)).toEqual({ to: 'role:planner', actions: ['view'], fields: ['code'], area: { division: '440304' }, until: null });
  expect(givenAgain({ ...grant, area_label: 'drawn' })).toBeNull();
  expect(givenAgain({ ...grant, ended: true })).toBeNull();
});

test('an export asks for what its format knows', () => {
  expect(askedOf({ format: '.gpkg', crs: '', encoding: 'gbk', division: '', drawn: null, cut: true })).toEqual({ format: '.gpkg', crs: null, encoding: 'utf-8', area: null, cut: false });
  expect(askedOf({ format: '.csv', crs: 'EPSG:4490', encoding: 'gbk', division: '440304', drawn: null, cut: true })).toMatchObject({ encoding: 'gbk', area: { division: '440304' }, cut: true });
  expect(formatsFor('table').map(({ suffix }) => suffix)).toEqual(['.gpkg', '.csv', '.xlsx', '.parquet']);
});

test('a pull survives its form, with the answers that the form does not show', () => {
  const facts = { name: '地类', kind: 'folder' as const, address: 'survey', department: 'data', document: { version: 1, parts: [] }, answers: { encoding: 'gb18030', accept: ['outside-city'] }, every_minutes: 90, most_changed: 0.25, enabled: false };
  const pull = { ...facts, id: 1, next_at: null, last_at: null, last_state: '', last_reason: '', last_delivery: null, created_by: 'x' };
  expect(factsOf(draftOf(pull, ''))).toEqual(facts);
  expect(missingOf(draftOf(null, 'data'))).toEqual(['name', 'address']);
  expect([60, 120, 90].map((minutes) => rhythmOf(minutes).word)).toEqual(['pulls.hourly', 'pulls.every-hours', 'pulls.every-minutes']);
});

test('a document is an object of JSON', () => {
  expect(documentOf(JSON.stringify(emptyDocument('data'))).document?.version).toBe(1);
  expect(documentOf('[1]').document).toBeNull();
  expect(documentOf('{').why).not.toBe('');
});

test('a changed field of the roster is shown as old and new', () => {
  expect(fieldText(['水务', '水务局'])).toBe('水务 → 水务局');
  expect(fieldText([null, '水务局'])).toBe('— → 水务局');
});

test('an area out of a file goes before a division, whatever its GeoJSON looks like', () => {
  const square = [[[114, 22], [114.1, 22], [114.1, 22.1], [114, 22]]];
  const polygon = { type: 'Polygon', coordinates: square };
  const wanted = { type: 'MultiPolygon', coordinates: [square] } as const;
  const feature = { type: 'Feature', properties: {}, geometry: polygon };
  for (const one of [polygon, feature, { type: 'FeatureCollection', features: [feature] }, wanted]) expect(areaOf(JSON.stringify(one))).toEqual(wanted);
  for (const text of ['', 'null', '{"type":"Point","coordinates":[1,2]}', '{"features":[null]}']) expect(areaOf(text)).toBeNull();
  const drawn = areaOf(JSON.stringify(polygon));
  expect(askedOf({ format: '.gpkg', crs: '', encoding: 'utf-8', division: '440304', drawn, cut: true })).toMatchObject({ area: wanted, cut: true });
});
