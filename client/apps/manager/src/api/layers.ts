import type { Action, Http, LayerInfo } from '@onemap/core';

import type { About, Access, ExportAsked, ExportJob, Explained, GivenGrant, Grant, MetadataDocument, MetadataVersion, RasterLine, RevisionPage, ShelvedLayer } from './layerTypes';

/** The calls for those who keep layers; their addresses live nowhere else. */
export class LayerApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  layers(signal?: AbortSignal): Promise<{ layers: LayerInfo[] }> {
    return this.read('/api/layers', signal);
  }

  rasters(signal?: AbortSignal): Promise<{ rasters: RasterLine[] }> {
    return this.read('/api/rasters', signal);
  }

  about(name: string, signal?: AbortSignal): Promise<About> {
    return this.read(`${pathOf(name)}/about`, signal);
  }

  async writeMetadata(name: string, document: MetadataDocument): Promise<MetadataVersion> {
    return (await this.http.put<MetadataVersion>(`${pathOf(name)}/metadata`, { document })).body!;
  }

  async approveMetadata(name: string, number: number): Promise<void> {
    await this.http.post(`${pathOf(name)}/metadata/approve`, { number });
  }

  async grants(name: string, signal?: AbortSignal): Promise<Grant[]> {
    return (await this.read<{ grants: Grant[] }>(`${pathOf(name)}/grants`, signal)).grants;
  }

  async give(name: string, grant: GivenGrant): Promise<Grant> {
    return (await this.http.post<Grant>(`${pathOf(name)}/grants`, grant)).body!;
  }

  async takeBack(name: string, id: number): Promise<void> {
    await this.http.remove(`${pathOf(name)}/grants/${id}`);
  }

  access(name: string, signal?: AbortSignal): Promise<Access> {
    return this.read(`${pathOf(name)}/access`, signal);
  }

  explain(name: string, who: string, signal?: AbortSignal): Promise<Explained> {
    return this.read(`${pathOf(name)}/access/${encodeURIComponent(who)}`, signal);
  }

  revisions(name: string, before: number | null, signal?: AbortSignal): Promise<RevisionPage> {
    return this.read(`${pathOf(name)}/revisions${before === null ? '' : `?before=${before}`}`, signal);
  }

  async undo(name: string, revision: number, reason: string): Promise<void> {
    await this.http.post(`${pathOf(name)}/undo`, { revision, reason });
  }

  async remove(name: string): Promise<void> {
    await this.http.remove(pathOf(name));
  }

  async restore(name: string): Promise<void> {
    await this.http.post(`${pathOf(name)}/restore`, {});
  }

  shelf(signal?: AbortSignal): Promise<{ layers: ShelvedLayer[]; total: number }> {
    return this.read('/api/shelf', signal);
  }

  async askForExport(name: string, asked: ExportAsked): Promise<number> {
    return (await this.http.post<{ job: number }>(`${pathOf(name)}/exports`, asked)).body!.job;
  }

  export(job: number, signal?: AbortSignal): Promise<ExportJob> {
    return this.read(`/api/exports/${job}`, signal);
  }

  private async read<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.http.get<T>(path, { etag: null, ...(signal ? { signal } : {}) })).body!;
  }
}

export const ACTIONS: readonly Action[] = ['view', 'query', 'download', 'edit', 'publish', 'admin'];

function pathOf(name: string): string {
  return `/api/layers/${encodeURIComponent(name)}`;
}
