import type { Http } from '@onemap/core';

export interface ProfileLine {
  code: string;
  title_zh: string;
  title_en: string;
  department: string;
  document: ProfileDocument;
  changed_by: string;
  changed_at: string;
}

export interface ProfilePart {
  source?: string;
  kind?: string;
  layer?: string;
  title_zh?: string;
  title_en?: string;
  required?: boolean;
  key?: string;
  mode?: string;
}

export interface ProfileDocument {
  title_zh?: string;
  title_en?: string;
  mode?: string;
  parts?: ProfilePart[];
  [name: string]: unknown;
}

/** Where a document is wrong and what is wrong there. */
export interface DocumentFault {
  at: string;
  reason: string;
  reason_zh: string;
}

export const SCHEMA = '/api/delivery-profiles/schema';

/** Delivery profiles over HTTP. */
export class ProfilesApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async list(signal?: AbortSignal): Promise<ProfileLine[]> {
    return (await this.http.get<{ profiles: ProfileLine[] }>('/api/delivery-profiles', { etag: null, ...(signal ? { signal } : {}) })).body!.profiles;
  }

  async keep(code: string, document: unknown): Promise<void> {
    await this.http.put(`/api/delivery-profiles/${encodeURIComponent(code)}`, { document });
  }
}
