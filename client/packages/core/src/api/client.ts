import { bboxParameters } from '../axes';
import type { Answer, Http } from './http';
import type { Box, Hit, Item, ItemPage, LayerInfo, MapInfo, Position, Session } from './types';

export interface IdentifyQuestion {
  at: Position;
  crs: string;
  /** Metres. */
  tolerance: number;
  layers: string[];
}

/** The calls of the map page, one method each; URLs live nowhere else. */
export class OnemapApi {
  private readonly http: Http;
  private readonly changeset: () => number | null;

  /** `changeset`: the one that features are asked for with. */
  constructor(http: Http, changeset: () => number | null = () => null) {
    this.http = http;
    this.changeset = changeset;
  }

  async session(): Promise<Session> {
    return body(await this.http.get<Session>('/api/session', { etag: null }));
  }

  async login(username: string, password: string): Promise<Session> {
    return body(await this.http.post<Session>('/api/login', { username, password }));
  }

  async logout(): Promise<void> {
    await this.http.post('/api/logout', {});
  }

  async map(): Promise<MapInfo> {
    return body(await this.http.get<MapInfo>('/api/map'));
  }

  /** The catalogue as this caller may see it; body is null when nothing changed since `etag`. */
  layers(etag: string | null): Promise<Answer<{ layers: LayerInfo[] }>> {
    return this.http.get('/api/layers', { etag });
  }

  async identify(question: IdentifyQuestion, signal: AbortSignal): Promise<Hit[]> {
    const [x, y] = question.at;
    const query = {
      x: x.toFixed(4),
      y: y.toFixed(4),
      crs: question.crs,
      tolerance: question.tolerance.toFixed(3),
      layers: question.layers.join(','),
      ...this.draft(),
    };
    return body(await this.http.get<{ hits: Hit[] }>('/api/identify', { query, signal })).hits;
  }

  /** First page of the features of a layer that touch a box in `crs`. */
  async items(layer: string, box: Box, crs: string, limit: number, signal: AbortSignal): Promise<ItemPage> {
    const query = { ...bboxParameters(box, crs), limit: String(limit), f: 'json', ...this.draft() };
    return body(await this.http.get<ItemPage>(itemsPath(layer), { query, signal }));
  }

  /** A further page, by the link the server gave; only its path is used, so it cannot lead elsewhere. */
  async page(href: string, signal: AbortSignal): Promise<ItemPage> {
    const url = new URL(href, 'http://same.origin');
    return body(await this.http.get<ItemPage>(url.pathname + url.search, { signal }));
  }

  async item(layer: string, fid: number, signal: AbortSignal): Promise<Item> {
    return body(await this.http.get<Item>(`${itemsPath(layer)}/${fid}`, { query: { f: 'json', ...this.draft() }, signal }));
  }

  private draft(): Record<string, string> {
    const changeset = this.changeset();
    return changeset === null ? {} : { changeset: String(changeset) };
  }
}

function itemsPath(layer: string): string {
  return `/ogc/collections/${encodeURIComponent(layer)}/items`;
}

function body<T>(answer: Answer<T>): T {
  if (answer.body === null) throw new TypeError('an answer without a body where one is promised');
  return answer.body;
}
