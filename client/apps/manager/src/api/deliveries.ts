import type { Answer, Http } from '@onemap/core';

import type { Answers, Delivery, DeliveryLine, DiffOp, DiffPage, Finding, Level, NewDelivery, Profile } from './types';

export interface DeliveryPageOf {
  deliveries: DeliveryLine[];
  total: number;
}

export interface FindingsAsked {
  code?: string;
  level?: Level | '';
  part?: number | null;
  after?: number;
}

const FINDINGS_PER_PAGE = 200;
const ROWS_PER_PAGE = 100;

/** The calls of deliveries; their addresses live nowhere else. */
export class DeliveryApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  list(state: string, offset: number, signal?: AbortSignal): Promise<DeliveryPageOf> {
    const query = { ...(state ? { state } : {}), offset: String(offset) };
    return body(this.http.get<DeliveryPageOf>('/api/deliveries', { query, etag: null, ...asked(signal) }));
  }

  profiles(signal?: AbortSignal): Promise<{ profiles: Profile[] }> {
    return body(this.http.get<{ profiles: Profile[] }>('/api/delivery-profiles', { etag: null, ...asked(signal) }));
  }

  create(delivery: NewDelivery): Promise<{ id: number }> {
    return body(this.http.post<{ id: number }>('/api/deliveries', delivery));
  }

  one(id: number, signal?: AbortSignal): Promise<Delivery> {
    return body(this.http.get<Delivery>(`/api/deliveries/${id}`, { etag: null, ...asked(signal) }));
  }

  async answer(id: number, answers: Answers): Promise<void> {
    await this.http.post(`/api/deliveries/${id}/answers`, answers);
  }

  async accept(id: number, reason: string): Promise<void> {
    await this.http.post(`/api/deliveries/${id}/accept`, { reason });
  }

  async refuse(id: number, reason: string): Promise<void> {
    await this.http.post(`/api/deliveries/${id}/refuse`, { reason });
  }

  async withdraw(id: number): Promise<void> {
    await this.http.post(`/api/deliveries/${id}/withdraw`, {});
  }

  async cancelJob(job: number): Promise<void> {
    await this.http.post(`/api/jobs/${job}/cancel`, {});
  }

  findings(id: number, wanted: FindingsAsked, signal?: AbortSignal): Promise<{ findings: Finding[]; next: number | null }> {
    const query: Record<string, string> = { limit: String(FINDINGS_PER_PAGE), after: String(wanted.after ?? 0) };
    if (wanted.code) query.code = wanted.code;
    if (wanted.level) query.level = wanted.level;
    if (typeof wanted.part === 'number') query.part = String(wanted.part);
    return body(this.http.get(`/api/deliveries/${id}/findings`, { query, etag: null, ...asked(signal) }));
  }

  diff(id: number, part: number, op: DiffOp, after: number, signal?: AbortSignal): Promise<DiffPage> {
    const query = { op, after: String(after), limit: String(ROWS_PER_PAGE) };
    return body(this.http.get(`/api/deliveries/${id}/parts/${part}/diff`, { query, etag: null, ...asked(signal) }));
  }
}

/** Address of a document of a delivery, for a link. */
export function documentOf(id: number, name: 'findings.gpkg' | 'verdict.pdf' | 'package.zip'): string {
  return `/api/deliveries/${id}/${name}`;
}

function asked(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).body!;
}
