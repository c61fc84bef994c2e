import { expect, test } from 'vitest';

import { ApiError, translator, type Phase } from '@onemap/core';
import zh from '../../../locales/zh-CN.json';
import { failureText, stateView } from '../src/stateView';

const view = (phase: Phase, keeps = false): ReturnType<typeof stateView> => stateView({ phase, error: null }, keeps);

test.each([
  ['idle', 'idle'],
  ['pending', null],
  ['loading', 'skeleton'],
  ['ready', null],
  ['empty', 'empty'],
  ['error', 'failure'],
  ['offline', 'failure'],
  ['denied', 'failure'],
] as [Phase, string | null][])('%s shows %s', (phase, block) => expect(view(phase).block).toBe(block));

test('what was there stays while asking again', () => {
  expect(view('loading', true)).toMatchObject({ block: null, content: true, busy: true });
  expect(view('pending', true)).toMatchObject({ content: true, busy: false });
  expect(view('error', true).content).toBe(false);
  expect(view('offline', true)).toMatchObject({ block: 'failure', content: true });
});

test('giving up a reload leaves what was there; giving up the first load leaves a way to begin again', () => {
  expect(view('idle', true)).toMatchObject({ block: null, content: true });
  expect(view('idle')).toMatchObject({ block: 'idle', content: false });
});

test('stopping is offered only after a long wait', () => {
  expect([view('loading').still, view('still').still]).toEqual([false, true]);
});

test('reasons are in words; the sentence of the server wins where it knows more', () => {
  const t = translator(zh);
  expect(failureText(new ApiError('throttled', { status: 429, code: 'x' }, 30), t)).toContain('30 秒');
  expect(failureText(new ApiError('refused', { status: 400, code: 'x', detail: '比例尺过小' }), t)).toBe('比例尺过小');
  expect(failureText(new ApiError('missing', { status: 404, code: 'x', detail: 'no such layer' }), t)).toBe('不存在，或无权查看。');
});
