import type { Answer, Http, LayerInfo } from '@onemap/core';

import type { Changeset, ChangesetLine, ChangesPage, Conflicts, Decision, DraftEdit, DraftFeature, DraftField, NewChangeset, StepName } from './changesetTypes';

export const CHANGESETS_PER_PAGE = 50;
const CHANGES_PER_PAGE = 100;
const ROOT = '/api/changesets';

export interface ChangesetsAsked {
  state: string;
  mine: boolean;
  /** Those alone that wait for a review which the caller may give. */
  review: boolean;
  layer: string;
  offset: number;
}

export interface ChangesetPageOf {
  changesets: ChangesetLine[];
  total: number;
}

/** A layer with what a form needs of its fields. */
export type EditableLayer = Omit<LayerInfo, 'fields'> & { fields: DraftField[] };

/** The calls of changesets; their addresses live nowhere else. */
export class ChangesetApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  list(asked: ChangesetsAsked, signal?: AbortSignal): Promise<ChangesetPageOf> {
    const query: Record<string, string> = { mine: String(asked.mine), offset: String(asked.offset) };
    if (asked.review) query.review = 'true';
    if (asked.state) query.state = asked.state;
    if (asked.layer) query.layer = asked.layer;
    return this.read(ROOT, signal, query);
  }

  async create(given: NewChangeset): Promise<Changeset> {
    return body(await this.http.post<Changeset>(ROOT, given));
  }

  one(id: number, signal?: AbortSignal): Promise<Changeset> {
    return this.read(`${ROOT}/${id}`, signal);
  }

  async describe(id: number, given: { title?: string; about?: string; shared?: boolean }): Promise<Changeset> {
    return body(await this.http.patch<Changeset>(`${ROOT}/${id}`, given));
  }

  /** Take a step; what it becomes, or with `revert` the new changeset that takes it back. */
  async step(id: number, step: StepName, reason: string, counter: number): Promise<Changeset> {
    if (step === 'share' || step === 'unshare') return this.describe(id, { shared: step === 'share' });
    return body(await this.http.post<Changeset>(`${ROOT}/${id}/${step}`, { reason, counter }));
  }

  changes(id: number, asked: { layer: string; op: string; after: string }, signal?: AbortSignal): Promise<ChangesPage> {
    const query: Record<string, string> = { limit: String(CHANGES_PER_PAGE) };
    for (const name of ['layer', 'op', 'after'] as const) if (asked[name]) query[name] = asked[name];
    return this.read(`${ROOT}/${id}/diff`, signal, query);
  }

  conflicts(id: number, signal?: AbortSignal): Promise<Conflicts> {
    return this.read(`${ROOT}/${id}/conflicts`, signal);
  }

  async resolve(id: number, choices: readonly Decision[], counter: number): Promise<number> {
    return body(await this.http.post<{ counter: number }>(`${ROOT}/${id}/resolve`, { choices, counter })).counter;
  }

  async merge(id: number, counter: number): Promise<{ counter: number; merged: number; conflicts: number }> {
    return body(await this.http.post<{ counter: number; merged: number; conflicts: number }>(`${ROOT}/${id}/merge`, { counter }));
  }

  async put(id: number, layer: string, edits: readonly DraftEdit[]): Promise<void> {
    await this.http.post(`${ROOT}/${id}/edits`, { layer, edits });
  }

  async takeOut(id: number, layer: string, fid: number): Promise<void> {
    await this.http.remove(`${ROOT}/${id}/features/${encodeURIComponent(layer)}/${fid}`);
  }

  /** A feature of the one map, or of the map with a changeset. */
  async feature(layer: string, fid: number, changeset: number | null, signal?: AbortSignal): Promise<DraftFeature> {
    const query: Record<string, string> = { f: 'json', ...(changeset === null ? {} : { changeset: String(changeset) }) };
    const path = `/ogc/collections/${encodeURIComponent(layer)}/items/${fid}`;
    const answer = await this.http.get<DraftFeature>(path, { query, etag: null, ...(signal ? { signal } : {}) });
    const { version, properties, geometry } = body(answer);
    return { version, properties, geometry };
  }

  async layers(signal?: AbortSignal): Promise<EditableLayer[]> {
    return (await this.read<{ layers: EditableLayer[] }>('/api/layers', signal)).layers;
  }

  private async read<T>(path: string, signal?: AbortSignal, query: Record<string, string> = {}): Promise<T> {
    return body(await this.http.get<T>(path, { query, etag: null, ...(signal ? { signal } : {}) }));
  }
}

function body<T>(answer: Answer<T>): T {
  return answer.body!;
}
