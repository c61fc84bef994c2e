import { asApiError, type ApiError, type Translate } from '@onemap/core';
import { failureText } from '@onemap/ui';

/** Refusals that say whose turn it is: the server's words are better than "no permission". */
const TURNS: ReadonlySet<string> = new Set(['four-eyes', 'changeset-role']);

export function refusalText(error: ApiError, t: Translate): string {
  return (TURNS.has(error.problem.code) && error.problem.detail) || failureText(error, t);
}

/** Somebody else was quicker: what is on screen is not what is there. */
export function isOvertaken(cause: unknown): boolean {
  const { status } = asApiError(cause).problem;
  return status === 409 || status === 412;
}

export interface Contested {
  layer: string;
  fid: number;
}

/** The features for whose conflicts a publication was refused. */
export function contestedBy(error: ApiError | null): Contested[] {
  return error?.problem.code === 'changeset-conflicts' ? ((error.problem.facts?.features as Contested[] | undefined) ?? []) : [];
}
