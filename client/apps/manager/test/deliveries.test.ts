import { expect, test } from 'vitest';

import type { DiffRow, Question } from '../src/api/types';
import { matchPath, placeOf } from '../src/router';
import { conflictVersions, diffPlaces, rowId, shownFields } from '../src/screens/deliveries/differences';
import { emptyLayer, faultsOf, nameOf } from '../src/screens/deliveries/draft';
import { answersOf, crsOf, encodingsOf, firstChoices, isAnswered, kindOf, sampleTable } from '../src/screens/deliveries/questions';
import { stepMarks } from '../src/screens/deliveries/steps';
import { formatBytes } from '../src/screens/deliveries/words';

const ask = (code: string, pass: string, facts: Partial<Question> = {}): Question => ({ code, pass, why: 'why', why_zh: '为何', parts: [1], ...facts });
const ENCODING = ask('encoding-doubtful', '--encoding gb18030|utf-8|big5');
const CRS = ask('crs-missing', '--source-crs EPSG:4526', { guesses: [{ crs: 'EPSG:4526', why: 'a', why_zh: '甲' }] });
const OUTSIDE = ask('outside-city', '--accept outside-city');
const CONFLICTS = ask('corrections-conflict', '--conflicts keep|take');
const STUCK = ask('fields-changed', "a file with the layer's fields, or create a new layer");

test('each question is asked in its own way', () => {
  expect([ENCODING, CRS, OUTSIDE, CONFLICTS, STUCK].map(kindOf)).toEqual(['encoding', 'crs', 'accept', 'conflicts', 'none']);
  expect(encodingsOf(ENCODING)).toEqual(['gb18030', 'utf-8', 'big5']);
  expect(crsOf({ ...CRS, guesses: [] }).map(({ crs }) => crs)).toEqual(['EPSG:4526']);
});

test('a guess is chosen beforehand, a risk is never accepted beforehand', () => {
  expect(firstChoices([ENCODING, CRS, OUTSIDE, CONFLICTS])).toEqual({ 'crs-missing': 'EPSG:4526' });
  expect(isAnswered(OUTSIDE, {})).toBe(false);
  expect(isAnswered(STUCK, { 'fields-changed': 'yes' })).toBe(false);
  expect(isAnswered(CRS, { 'crs-missing': '4526' })).toBe(false);
});

test('answers are those of all questions, with what was accepted before', () => {
  const choices = { 'encoding-doubtful': 'gb18030', 'crs-missing': 'EPSG:4526', 'outside-city': 'yes', 'corrections-conflict': 'take' };
  expect(answersOf([ENCODING, CRS, OUTSIDE, CONFLICTS], choices, { accept: ['gcj02-suspected'] })).toEqual({
    encoding: 'gb18030',
    source_crs: 'EPSG:4526',
    accept: ['gcj02-suspected', 'outside-city'],
    conflicts: 'take',
  });
});

test('samples of any form become a table without empty columns', () => {
  expect(sampleTable([{ A: '水田', B: '' }, { A: '旱地' }])).toEqual({ columns: ['A'], cells: [['水田'], ['旱地']] });
  expect(sampleTable(['plain']).cells).toEqual([['plain']]);
});

test('a draft says what is missing, field by field', () => {
  const draft = { name: '', department: 'data', profile: '', layer: { ...emptyLayer(), layer: 'Land Use', mode: 'upsert' as const } };
  expect(faultsOf(draft, ['DLTB'], 0).map(({ field }) => field)).toEqual(['files', 'name', 'layer', 'title_zh', 'key', 'source']);
  expect(faultsOf({ ...draft, name: 'x', profile: 'survey' }, [], 3)).toEqual([]);
  expect([nameOf(['2026/DLTB.shp']), nameOf(['DLTB.zip'])]).toEqual(['2026', 'DLTB']);
});

test('the steps show where a delivery stands and where it stopped', () => {
  expect(stepMarks('waiting')).toEqual(['done', 'done', 'now', 'ahead', 'ahead']);
  expect(stepMarks('accepted')).toEqual(['done', 'done', 'done', 'done', 'done']);
  expect(stepMarks('refused')).toEqual(['done', 'done', 'done', 'stopped', 'ahead']);
});

const ROW: DiffRow = {
  fid: 7,
  row: 3,
  op: 'update',
  key: 'A1',
  changes: { DLMC: ['水田', '旱地'], BZ: [null, ''] },
  area_before: 10,
  area_after: 12,
  place: { type: 'Point', coordinates: [114, 22] },
  before: { type: 'Point', coordinates: [114, 22.1] },
};

test('a changed feature is drawn twice and its fields are told old and new', () => {
  expect(diffPlaces([ROW]).map(({ id, kind }) => [id, kind])).toEqual([['fid-7', 'before'], ['fid-7', 'update']]);
  expect(shownFields(ROW, 5)).toEqual([
    { name: 'DLMC', before: '水田', after: '旱地' },
    { name: 'BZ', before: '—', after: '—' },
  ]);
  expect(rowId({ ...ROW, fid: null })).toBe('row-3');
});

test('a conflict shows the fields whose versions differ', () => {
  expect(conflictVersions({ ...ROW, versions: { A: [1, 2, 3], B: [1, 1, 1] } })).toEqual([{ name: 'A', last: '1', now: '2', given: '3' }]);
  expect(conflictVersions(ROW)).toEqual([]);
});

test('addresses lead to screens', () => {
  expect(matchPath('/deliveries/:id/:tab?', '/deliveries/12')).toEqual({ id: '12' });
  expect(matchPath('/deliveries/:id/:tab?', '/deliveries/12/findings')).toEqual({ id: '12', tab: 'findings' });
  expect(matchPath('/deliveries/:id/:tab?', '/deliveries')).toBeNull();
  expect(matchPath('/deliveries', '/deliveries/12')).toBeNull();
  const routes = [{ path: '/a', title: 'x', screen: {} }];
  expect(placeOf(routes, '').route).toBe(routes[0]);
  expect(placeOf(routes, '#/no/such').route).toBeNull();
});

test('sizes are read by people', () => {
  expect([0, 999, 2292, 123_456_789, 5e9].map(formatBytes)).toEqual(['0 B', '999 B', '2.3 kB', '123 MB', '5.0 GB']);
});
