import type { Department, Geometry, Http } from '@onemap/core';

import type { Level } from './types';

export interface QualityFinding {
  id: number;
  code: string;
  level: Level;
  message: string;
  message_zh: string;
  fids: number[];
  facts: Record<string, unknown>;
  /** Longitude and latitude, degrees. */
  place: Geometry | null;
  found_at: string;
  seen_at: string;
  layer: string;
  layer_title_zh: string;
  layer_title_en: string;
  department: Department;
  set_aside: { by: string; reason: string } | null;
}

export interface FindingPage {
  findings: QualityFinding[];
  total: number;
  codes: Record<string, number>;
  /** What the kinds are called. */
  kinds: Record<string, { name_zh: string; name_en: string }>;
}

export interface QualityPage extends FindingPage {
  departments: (Department & { open: number })[];
  /** Open findings by layer. */
  layers: Record<string, number>;
}

export interface QualityRun {
  at: string;
  revision: number;
  checked: number;
  counts: Record<string, number>;
}

export interface LayerQuality extends FindingPage {
  /** The caller keeps a part of the layer: what lies beyond is not told. */
  limited: boolean;
  checks: Record<string, unknown>;
  runs: QualityRun[];
}

export interface QualityAsked {
  department?: string;
  layer?: string;
  code?: string;
  aside?: boolean;
  offset?: number;
}

export const FINDINGS_PER_PAGE = 50;

/** What the self-check found, over HTTP. */
export class QualityApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async open(asked: QualityAsked, signal?: AbortSignal): Promise<QualityPage> {
    const query: Record<string, string> = { aside: String(asked.aside ?? false), offset: String(asked.offset ?? 0) };
    for (const name of ['department', 'layer', 'code'] as const) if (asked[name]) query[name] = asked[name];
    return (await this.http.get<QualityPage>('/api/quality', { query, etag: null, ...(signal ? { signal } : {}) })).body!;
  }

  async ofLayer(layer: string, signal?: AbortSignal): Promise<LayerQuality> {
    return (await this.http.get<LayerQuality>(`/api/layers/${encodeURIComponent(layer)}/quality`, { etag: null, ...(signal ? { signal } : {}) })).body!;
  }

  /** Check a layer now; the number of the job. */
  async run(layer: string): Promise<number> {
    return (await this.http.post<{ job: number }>(`/api/layers/${encodeURIComponent(layer)}/quality/run`, {})).body!.job;
  }

  async setAside(id: number, reason: string): Promise<void> {
    await this.http.post(`/api/quality/${id}/set-aside`, { reason });
  }
}
