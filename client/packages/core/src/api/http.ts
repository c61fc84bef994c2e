import { refusal, unreachable } from './problem';

/** Longest wait for an answer, milliseconds; the page says "still loading" long before. */
const TIME_LIMIT_MS = 60_000;

export interface HttpSettings {
  /** Value of Accept-Language. */
  language: () => string;
  csrfToken: () => string;
  /** Called after every exchange: did the server answer at all? */
  onContact: (reached: boolean) => void;
  fetch?: typeof fetch;
}

export interface Answer<T> {
  /** null for 304 and 204. */
  body: T | null;
  status: number;
  etag: string | null;
}

export interface GetOptions {
  query?: Record<string, string>;
  etag?: string | null;
  signal?: AbortSignal;
}

/** Same-origin JSON over fetch: CSRF, conditional requests, problem+json, time limit. */
export class Http {
  private readonly settings: HttpSettings;

  constructor(settings: HttpSettings) {
    this.settings = settings;
  }

  async get<T>(path: string, options: GetOptions = {}): Promise<Answer<T>> {
    const query = options.query ? `?${new URLSearchParams(options.query)}` : '';
    const headers: Record<string, string> = options.etag ? { 'If-None-Match': options.etag } : {};
    // A conditional request must reach the server, not the browser's own copy.
    const cache: RequestCache = 'etag' in options ? 'no-store' : 'default';
    return this.send<T>(path + query, { method: 'GET', headers, cache }, options.signal);
  }

  async post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<T>> {
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': this.settings.csrfToken() };
    return this.send<T>(path, { method: 'POST', headers, body: JSON.stringify(body) }, signal);
  }

  async put<T>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<T>> {
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': this.settings.csrfToken() };
    return this.send<T>(path, { method: 'PUT', headers, body: JSON.stringify(body) }, signal);
  }

  async patch<T>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<T>> {
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': this.settings.csrfToken() };
    return this.send<T>(path, { method: 'PATCH', headers, body: JSON.stringify(body) }, signal);
  }

  /** Post a file as it is; the answer is JSON. */
  async postFile<T>(path: string, file: Blob, type: string, signal?: AbortSignal): Promise<Answer<T>> {
    const headers = { 'Content-Type': type, 'X-CSRFToken': this.settings.csrfToken() };
    return this.send<T>(path, { method: 'POST', headers, body: file }, signal);
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    await this.open(path, { method: 'DELETE', headers: { 'X-CSRFToken': this.settings.csrfToken() } }, signal);
  }

  /** Ask for the headers alone. */
  async head(path: string, signal?: AbortSignal): Promise<Headers> {
    return (await this.open(path, { method: 'HEAD', cache: 'no-store' }, signal)).headers;
  }

  /** Send bytes; what the server says of them is in the headers of its answer. */
  async sendBytes(path: string, bytes: Blob, headers: Record<string, string>, signal?: AbortSignal): Promise<Headers> {
    const told = { 'Content-Type': 'application/octet-stream', 'X-CSRFToken': this.settings.csrfToken(), ...headers };
    return (await this.open(path, { method: 'PATCH', headers: told, body: bytes }, signal)).headers;
  }

  private async send<T>(url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer<T>> {
    const response = await this.open(url, init, signal);
    const empty = response.status === 304 || response.status === 204;
    return {
      body: empty ? null : ((await response.json()) as T),
      status: response.status,
      etag: response.headers.get('ETag'),
    };
  }

  /** The answer to a request; a refusal is thrown. */
  private async open(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const headers = {
      Accept: 'application/json, application/geo+json, application/problem+json',
      'Accept-Language': this.settings.language(),
      // Tells the server that a page asks: a Basic challenge would open the browser's own password window.
      'X-Requested-With': 'XMLHttpRequest',
      ...(init.headers as Record<string, string>),
    };
    const response = await this.exchange(url, { ...init, headers, credentials: 'same-origin' }, signal);
    if (!response.ok && response.status !== 304) throw await refusal(response);
    return response;
  }

  private async exchange(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIME_LIMIT_MS);
    const stop = (): void => limit.abort();
    signal?.addEventListener('abort', stop);
    try {
      const response = await (this.settings.fetch ?? fetch)(url, { ...init, signal: limit.signal });
      this.settings.onContact(true);
      return response;
    } catch (cause) {
      if (signal?.aborted) throw cause;
      this.settings.onContact(false);
      throw unreachable(limit.signal.aborted ? 'timeout' : 'network');
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }
}
