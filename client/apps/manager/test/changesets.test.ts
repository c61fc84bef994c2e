import { expect, test } from 'vitest';

import type { Changeset, ConflictOf, Difference, LoggedStep } from '../src/api/changesetTypes';
import { chooseAll, choiceKey, contestedShapes, decisionsOf, hasFault, isDecidable, progressOf, sidePlaces, stillMeant, takesOf, vertexCount, whereToAsk } from '../src/screens/changesets/choices';
import { areaDifference, changeId, changePlaces, kinOf, ledgerSum, rowAfter, signed } from '../src/screens/changesets/differences';
import { askedBy, choosesState } from '../src/screens/changesets/filters';
import { changedFields, editOf, faultOfText, rebasedTexts, textsOf, valueOf } from '../src/screens/changesets/form';
import { isRecord, keptWork } from '../src/screens/changesets/keeping';
import { meanwhile } from '../src/screens/changesets/meanwhile';
import { offered, stageMarks } from '../src/screens/changesets/words';
import { hasAreas, valueText } from '../src/screens/changesets/fields';

const square = (size: number): { type: string; coordinates: number[][][] } => ({ type: 'Polygon', coordinates: [[[0, 0], [size, 0], [size, size], [0, size], [0, 0]]] });
const side = (area: number, size = 1): NonNullable<Difference['before']> => ({ properties: {}, geometry: square(size), area, valid_to: null });
const change = (facts: Partial<Difference>): Difference => ({
  layer: 'parcel', fid: 7, period: null, op: 'update', author: 'user:ming', at: '2026-01-01T00:00:00Z', split_from: null, merged_into: null,
  version: 2, base_version: 1, before: side(10), after: side(12, 2), reshaped: true, fields: [], ...facts,
});

test('a changed feature is drawn before and after, a deleted one once, one with another value alone once', () => {
  const kinds = (facts: Partial<Difference>): string[] => changePlaces([change(facts)]).map(({ kind }) => kind);
  expect(kinds({})).toEqual(['before', 'update']);
  expect(kinds({ reshaped: false })).toEqual(['update']);
  expect(kinds({ op: 'insert', before: null, reshaped: false })).toEqual(['insert']);
  expect(kinds({ op: 'delete', after: null, reshaped: false })).toEqual(['remove']);
  expect(kinds({ after: { ...side(1), geometry: null }, reshaped: false })).toEqual([]);
  expect(changeId(change({ period: '2026-01-01' }))).toBe('parcel/7/2026-01-01');
});

test('areas are won and lost, and their signs are written', () => {
  const two = (value: number): string => value.toFixed(2);
  expect(areaDifference(change({}))).toBe(2);
  expect(areaDifference(change({ after: null }))).toBe(-10);
  expect(areaDifference(change({ before: { ...side(0), area: null }, after: null }))).toBeNull();
  expect([2, -10, 0.001, 0].map((value) => signed(value, two))).toEqual(['+2.00', '−10.00', '0.00', '0.00']);
  const row = { layer: 'a', inserted: 1, updated: 2, deleted: 3, area_before: 10, area_after: 8 };
  expect(ledgerSum([row, row])).toEqual({ inserted: 2, updated: 4, deleted: 6, before: 20, after: 16 });
});

test('a change names what came of it and what went into it, in its own layer', () => {
  const listed = [change({ fid: 1 }), change({ fid: 7, split_from: 1 }), change({ fid: 8, split_from: 1, layer: 'road' }), change({ fid: 2, merged_into: 7 })];
  expect(kinOf(listed[0]!, listed)).toEqual({ parts: [7], sources: [] });
  expect(kinOf(listed[1]!, listed)).toEqual({ parts: [], sources: [2] });
});

test('an area is told of polygons alone', () => {
  const layers = new Map(['polygon', 'line'].map((geometry) => [geometry, { geometry }])) as unknown as Parameters<typeof hasAreas>[0];
  expect(['polygon', 'line', 'unknown'].map((layer) => hasAreas(layers, layer))).toEqual([true, false, true]);
});

test('the arrow keys stay within the table', () => {
  expect(['ArrowDown', 'ArrowUp', 'Home', 'End', 'x'].map((key) => rowAfter(key, 1, 3))).toEqual([2, 0, 0, 2, null]);
  expect([rowAfter('ArrowDown', 2, 3), rowAfter('ArrowUp', 0, 3)]).toEqual([null, null]);
});

const conflict = (facts: Partial<ConflictOf> = {}): ConflictOf => ({
  layer: 'parcel', fid: 7, period: null, version: 9, base_version: 1, current_version: 2, hidden: false,
  parts: [{ kind: 'field', part: 'use', base: 'a', ours: 'b', theirs: 'c' }, { kind: 'geometry', part: 'geometry', base: square(1), ours: square(2), theirs: square(3) }],
  ...facts,
});

test('a feature is ready when every part is chosen, and the request holds all of them', () => {
  const [one, other] = [conflict(), conflict({ fid: 8 })];
  expect(progressOf([one, other], {})).toEqual({ open: 4, ready: [] });
  const first = { [choiceKey(one, one.parts[0]!)]: { take: 'other' as const, other: 'd' } };
  expect(progressOf([one, other], first)).toEqual({ open: 3, ready: [] });
  const both = { ...chooseAll(one, 'theirs', first), ...first };
  const { open, ready } = progressOf([one, other], both);
  expect([open, ready]).toEqual([2, [one]]);
  expect(decisionsOf(ready, both, (_conflict, _part, text) => `read ${text}`)).toEqual([
    { layer: 'parcel', fid: 7, period: null, version: 2, part: 'use', take: 'other', value: 'read d' },
    { layer: 'parcel', fid: 7, period: null, version: 2, part: 'geometry', take: 'theirs' },
  ]);
  expect(hasFault(ready, both, (_conflict, _part, text) => text === 'd')).toBe(true);
  expect(hasFault(ready, chooseAll(one, 'ours', both), () => true)).toBe(false);
});

test('a choice is of one version of the one map and is not carried over to the next', () => {
  const choices = chooseAll(conflict(), 'ours', {});
  expect(Object.keys(stillMeant([conflict()], choices))).toHaveLength(2);
  expect(stillMeant([conflict({ current_version: 3 })], choices)).toEqual({});
  expect(stillMeant([conflict({ current_version: null })], choices)).toEqual({});
});

test('what cannot be taken is not offered, and what is hidden is not decided', () => {
  const overlap = conflict({ parts: [{ kind: 'overlap', part: 'feature', base: null, ours: null, theirs: null }] });
  expect(takesOf(overlap.parts[0]!)).toEqual(['theirs']);
  expect(chooseAll(overlap, 'ours', {})).toEqual({});
  expect(conflict().parts.map(takesOf)).toEqual([['theirs', 'ours', 'other'], ['theirs', 'ours']]);
  expect([conflict(), conflict({ hidden: true }), conflict({ parts: [] })].map(isDecidable)).toEqual([true, false, false]);
  expect(progressOf([conflict({ hidden: true }), conflict({ parts: [] })], {})).toEqual({ open: 0, ready: [] });
});

test('the map shows three shapes where the shape is contested, else both maps are asked', () => {
  expect(sidePlaces('x', contestedShapes(conflict())!).map(({ kind }) => kind)).toEqual(['before', 'theirs', 'ours']);
  const gone = conflict({ current_version: null, parts: [{ kind: 'deleted-there', part: 'feature', base: null, ours: null, theirs: null }] });
  expect([contestedShapes(gone), whereToAsk(gone)]).toEqual([null, { theirs: false, ours: true }]);
  expect(whereToAsk({ ...gone, current_version: 2, parts: [{ ...gone.parts[0]!, kind: 'deleted-here' }] })).toEqual({ theirs: true, ours: false });
});

test('vertices are counted without the closing ones', () => {
  expect(vertexCount(square(1))).toBe(4);
  expect(vertexCount({ type: 'MultiPolygon', coordinates: [square(1).coordinates, square(2).coordinates] })).toBe(8);
  expect(vertexCount({ type: 'LineString', coordinates: [[0, 0], [1, 1], [0, 0]] })).toBe(3);
  expect([vertexCount({ type: 'Point', coordinates: [0, 0] }), vertexCount(null)]).toEqual([1, 0]);
});

const FIELDS = ['text', 'integer', 'real', 'boolean', 'date'].map((type) => ({ name: type, type, alias_zh: '', alias_en: '', unit: null }));

test('a form sends what changed, as values of their types', () => {
  const before = textsOf(FIELDS, { text: ' a ', integer: 1, real: null, boolean: true });
  expect(before).toEqual({ text: ' a ', integer: '1', real: '', boolean: 'true', date: '' });
  const now = { ...before, integer: '2', real: '0.50', boolean: 'false', date: '' };
  expect(editOf(7, 3, changedFields(FIELDS, before, now), now, '')).toEqual({ op: 'update', fid: 7, version: 3, properties: { integer: 2, real: 0.5, boolean: false } });
  expect(editOf(7, 3, [], now, '2026-02-01')).toMatchObject({ since: '2026-02-01', properties: {} });
  expect([valueOf(FIELDS[1], '9007199254740993'), valueOf(FIELDS[0], ' '), valueOf(FIELDS[0], ' x'), valueOf(undefined, '1')]).toEqual(['9007199254740993', null, ' x', '1']);
  expect([['integer', '1.5'], ['integer', '-2'], ['real', '1e3'], ['real', 'x'], ['text', 'x']].map(([type, text]) => faultOfText({ type: type! }, text!))).toEqual(['draft.whole-number', '', '', 'draft.number', '']);
});

test('when others changed the feature, what was written stays and the rest is theirs', () => {
  expect(rebasedTexts({ a: '1', b: '1', c: '1' }, { a: '2', b: '1', c: '1' }, { a: '3', b: '3', c: '1' })).toEqual({ a: '2', b: '3', c: '1' });
});

test('a code is read with its title', () => {
  const field = { ...FIELDS[0]!, codes: [['07', '住宅', 'Housing']] as [string, string, string][] };
  expect([valueText('07', field, 'zh-CN'), valueText('07', field, 'en'), valueText('99', field, 'en'), valueText(null, field, 'en')]).toEqual(['07 住宅', '07 Housing', '99', '—']);
});

const step = (name: string, at: string): LoggedStep => ({ step: name, at, state: 'submitted', counter: 1, by: 'user:gao', reason: '' });
const changeset = (facts: Partial<Changeset>): Changeset => ({ state: 'submitted', counter: 1, changed_at: 'a', log: [step('submit', '1')], ...facts }) as Changeset;

test('what happened meanwhile is told, and nothing when nothing did', () => {
  expect(meanwhile(changeset({}), changeset({}))).toBeNull();
  const news = meanwhile(changeset({}), changeset({ state: 'returned', log: [step('return', '2'), step('submit', '1')] }));
  expect([news?.steps.map((one) => one.step), news?.content]).toEqual([['return'], false]);
  expect(meanwhile(changeset({}), changeset({ counter: 2 }))).toEqual({ steps: [], content: true });
  expect(meanwhile(changeset({}), changeset({ changed_at: 'b' }))).toEqual({ steps: [], content: false });
});

test('work is kept until it is forgotten, and what is no work is not read', () => {
  const shelf = new Map<string, string>();
  const storage = { getItem: (key: string) => shelf.get(key) ?? null, setItem: (key: string, text: string) => void shelf.set(key, text), removeItem: (key: string) => void shelf.delete(key) };
  const kept = keptWork('x', isRecord, storage);
  expect(kept.read()).toBeNull();
  kept.write({ a: 1 });
  expect(kept.read()).toEqual({ a: 1 });
  shelf.set('onemap.x', '[1]');
  expect(kept.read()).toBeNull();
  shelf.set('onemap.x', '{');
  expect(kept.read()).toBeNull();
  kept.write({});
  kept.forget();
  expect(shelf.size).toBe(0);
  const full = keptWork('x', isRecord, { ...storage, setItem: () => { throw new Error('full'); } });
  expect(() => full.write({})).not.toThrow();
});

test('steps are offered in order, the stages follow the state', () => {
  expect(offered({ steps: ['publish', 'abandon', 'return'], shared: false })).toEqual(['abandon', 'return', 'publish']);
  expect([true, false].map((shared) => offered({ steps: ['share', 'unshare'], shared }))).toEqual([['unshare'], ['share']]);
  expect(stageMarks('returned')).toEqual(['now', 'stopped', 'ahead', 'ahead']);
  expect(stageMarks('published')).toEqual(['done', 'done', 'done', 'done']);
});

test('two views are of one state, and a state is chosen in the others', () => {
  const asked = { state: 'returned', layer: '', offset: 0 };
  expect(askedBy({ view: 'review', ...asked })).toMatchObject({ state: 'submitted', mine: false, review: true });
  expect(askedBy({ view: 'mine', ...asked })).toMatchObject({ state: 'returned', mine: true, review: false });
  expect([choosesState('all'), choosesState('publish')]).toEqual([true, false]);
});
