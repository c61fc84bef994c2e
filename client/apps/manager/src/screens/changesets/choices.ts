import type { Geometry, PropertyValue } from '@onemap/core';
import type { Place } from '@onemap/map';

import type { ConflictOf, ConflictPart, Decision, DraftFeature } from '../../api/changesetTypes';

export type Take = Decision['take'];

export interface Choice {
  take: Take;
  /** As it is typed or chosen; counts with `other` alone. */
  other: string;
}

/** Choices by part of a conflict. */
export type Choices = Readonly<Record<string, Choice>>;

/** The name of a part to be chosen. It holds the version on the one map: a choice is never of another. */
export function choiceKey({ layer, fid, period, current_version: version }: ConflictOf, part: ConflictPart): string {
  return [layer, fid, period ?? '', version ?? 'gone', part.part].join('/');
}

/** What may be taken: two periods that overlap cannot both be kept, and only a field can have a third value. */
export function takesOf(part: ConflictPart): Take[] {
  if (part.kind === 'overlap') return ['theirs'];
  return part.kind === 'field' ? ['theirs', 'ours', 'other'] : ['theirs', 'ours'];
}

/** Whether a conflict can be decided here at all. */
export function isDecidable(conflict: ConflictOf): boolean {
  return !conflict.hidden && conflict.parts.length > 0;
}

export function openParts(conflict: ConflictOf, choices: Choices): ConflictPart[] {
  return conflict.parts.filter((part) => !choices[choiceKey(conflict, part)]);
}

export interface Progress {
  /** Parts without a choice, of features that can be decided. */
  open: number;
  /** Features with a choice for every part. */
  ready: ConflictOf[];
}

export function progressOf(conflicts: readonly ConflictOf[], choices: Choices): Progress {
  const here = conflicts.filter(isDecidable);
  return {
    open: here.reduce((count, one) => count + openParts(one, choices).length, 0),
    ready: here.filter((one) => openParts(one, choices).length === 0),
  };
}

/** One side for the whole feature; where it cannot be taken, the choice stays as it was. */
export function chooseAll(conflict: ConflictOf, take: 'ours' | 'theirs', choices: Choices): Record<string, Choice> {
  const able = conflict.parts.filter((part) => takesOf(part).includes(take));
  return { ...choices, ...Object.fromEntries(able.map((part) => [choiceKey(conflict, part), { take, other: choices[choiceKey(conflict, part)]?.other ?? '' }])) };
}

/** Choices that still speak of a conflict that is there; the rest were of versions gone by. */
export function stillMeant(conflicts: readonly ConflictOf[], choices: Choices): Record<string, Choice> {
  const keys = new Set(conflicts.flatMap((one) => one.parts.map((part) => choiceKey(one, part))));
  return Object.fromEntries(Object.entries(choices).filter(([key]) => keys.has(key)));
}

/** Whether a value that was typed cannot be sent. */
export function hasFault(ready: readonly ConflictOf[], choices: Choices, isFaulty: (conflict: ConflictOf, part: ConflictPart, text: string) => boolean): boolean {
  return ready.some((conflict) =>
    conflict.parts.some((part) => {
      const choice = choices[choiceKey(conflict, part)];
      return choice?.take === 'other' && isFaulty(conflict, part, choice.other);
    }),
  );
}

/** The request: every choice of the features that are ready. */
export function decisionsOf(ready: readonly ConflictOf[], choices: Choices, read: (conflict: ConflictOf, part: ConflictPart, text: string) => PropertyValue): Decision[] {
  return ready.flatMap((conflict) =>
    conflict.parts.map((part): Decision => {
      const { take, other } = choices[choiceKey(conflict, part)]!;
      const { layer, fid, period, current_version: version } = conflict;
      const decision: Decision = { layer, fid, period, version, part: part.part, take };
      return take === 'other' ? { ...decision, value: read(conflict, part, other) } : decision;
    }),
  );
}

/** Vertices of a geometry, the closing ones of rings not counted twice. */
export function vertexCount(geometry: Geometry | null): number {
  if (!geometry) return 0;
  if (geometry.geometries) return geometry.geometries.reduce((sum, one) => sum + vertexCount(one), 0);
  const closed = /Polygon$/.test(geometry.type);
  const count = (part: unknown): number => {
    const list = part as unknown[];
    if (typeof list[0] === 'number') return 1;
    const isLine = typeof (list[0] as unknown[] | undefined)?.[0] === 'number';
    return list.reduce<number>((sum, one) => sum + count(one), 0) - (isLine && closed ? 1 : 0);
  };
  return count(geometry.coordinates);
}

export type Sides = Record<'base' | 'theirs' | 'ours', Geometry | null>;
const KINDS = { base: 'before', theirs: 'theirs', ours: 'ours' } as const;

/** The three shapes of a conflict, where the shape is in question; null where it is not. */
export function contestedShapes(conflict: ConflictOf): Sides | null {
  const part = conflict.parts.find(({ kind }) => kind === 'geometry');
  return part ? { base: part.base as Geometry | null, theirs: part.theirs as Geometry | null, ours: part.ours as Geometry | null } : null;
}

/** Which of both maps have the feature, so that its place can be asked for. */
export function whereToAsk(conflict: ConflictOf): { theirs: boolean; ours: boolean } {
  return { theirs: conflict.current_version !== null, ours: !conflict.parts.some(({ kind }) => kind === 'deleted-here') };
}

export function shapesOf(theirs: DraftFeature | null, ours: DraftFeature | null): Sides {
  return { base: null, theirs: theirs?.geometry ?? null, ours: ours?.geometry ?? null };
}

/** What the map draws of a conflict: base below, ours on top. */
export function sidePlaces(id: string, sides: Sides): Place[] {
  return (['base', 'theirs', 'ours'] as const).flatMap((side): Place[] => (sides[side] ? [{ id, kind: KINDS[side], geometry: sides[side] }] : []));
}
