import type { Http } from '@onemap/core';

export type PullKind = 'folder' | 'http' | 'database';

export interface PullFacts {
  name: string;
  kind: PullKind;
  address: string;
  department: string;
  document: Record<string, unknown>;
  answers: Record<string, unknown>;
  every_minutes: number;
  /** Share of changed features above which it stops and asks, 0 to 1. */
  most_changed: number;
  enabled: boolean;
}

export interface Pull extends PullFacts {
  id: number;
  next_at: string | null;
  last_at: string | null;
  last_state: string;
  last_reason: string;
  last_delivery: { id: number; name: string; state: string } | null;
  created_by: string;
}

/** What is fetched on a schedule, over HTTP. */
export class PullsApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async list(signal?: AbortSignal): Promise<Pull[]> {
    return (await this.http.get<{ pulls: Pull[] }>('/api/pulls', { etag: null, ...(signal ? { signal } : {}) })).body!.pulls;
  }

  async keep(id: number | null, facts: PullFacts): Promise<Pull> {
    const answer = id === null ? await this.http.post<Pull>('/api/pulls', facts) : await this.http.put<Pull>(`/api/pulls/${id}`, facts);
    return answer.body!;
  }

  async remove(id: number): Promise<void> {
    await this.http.remove(`/api/pulls/${id}`);
  }

  async run(id: number): Promise<number> {
    return (await this.http.post<{ job: number }>(`/api/pulls/${id}/run`, {})).body!.job;
  }
}
