import type { Department, Http } from '@onemap/core';

export type RosterOp = 'added' | 'changed' | 'unchanged' | 'closed' | 'reopened';

export interface RosterReport {
  status: 'done' | 'held' | 'failed';
  dry_run: boolean;
  sheets: Record<string, Record<RosterOp, number>>;
  changes: { sheet: string; op: RosterOp; code: string; fields: Record<string, unknown> }[];
  held: { code: string; why: string; why_zh: string }[];
  faults: { sheet: string; row: number; column: string; message: string; message_zh: string }[];
  /** First passwords of new accounts by user name; told once. */
  passwords: Record<string, string>;
}

/** A department and the one above it. */
export interface Office extends Department {
  parent: string | null;
}

export const TEMPLATE = '/api/people/template.xlsx';
const WORKBOOK = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** The roster over HTTP. */
export class PeopleApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async send(file: Blob, dryRun: boolean, accept: readonly string[]): Promise<RosterReport> {
    const query = new URLSearchParams({ dry_run: String(dryRun), accept: accept.join(',') });
    return (await this.http.postFile<RosterReport>(`/api/people?${query}`, file, WORKBOOK)).body!;
  }

  async rename(code: string, nameZh: string, nameEn: string): Promise<void> {
    await this.http.put(`/api/departments/${encodeURIComponent(code)}`, { name_zh: nameZh, name_en: nameEn });
  }

  /** What the first has goes to the second at once, and the first is closed. */
  async merge(code: string, into: string, on: string): Promise<void> {
    await this.http.post(`/api/departments/${encodeURIComponent(code)}/merge`, { into, on: on || null });
  }

  async departments(signal?: AbortSignal): Promise<Office[]> {
    return (await this.http.get<{ departments: Office[] }>('/api/departments', { etag: null, ...(signal ? { signal } : {}) })).body!.departments;
  }
}
