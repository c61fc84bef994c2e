import { asApiError, type Http } from '@onemap/core';

export interface Began {
  token: string;
  offset: number;
  chunk: number;
  complete: boolean;
}

export interface Reached {
  offset: number;
  complete: boolean;
}

/** What sending a file needs of a server. */
export interface UploadServer {
  begin: (name: string, size: number, sha256: string, signal: AbortSignal) => Promise<Began>;
  look: (token: string, signal: AbortSignal) => Promise<Reached>;
  send: (token: string, offset: number, piece: Blob, signal: AbortSignal) => Promise<Reached>;
  cancel: (token: string) => Promise<void>;
}

/** Uploads in pieces, as the server takes them. */
export class UploadApi implements UploadServer {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async begin(name: string, size: number, sha256: string, signal: AbortSignal): Promise<Began> {
    return (await this.http.post<Began>('/api/uploads', { name, size, sha256 }, signal)).body!;
  }

  async look(token: string, signal: AbortSignal): Promise<Reached> {
    return reached(await this.http.head(pathOf(token), signal));
  }

  async send(token: string, offset: number, piece: Blob, signal: AbortSignal): Promise<Reached> {
    return reached(await this.http.sendBytes(pathOf(token), piece, { 'Upload-Offset': String(offset) }, signal));
  }

  async cancel(token: string): Promise<void> {
    try {
      await this.http.remove(pathOf(token));
    } catch (cause) {
      // Gone already is as good; what stays behind is swept by the server.
      if (asApiError(cause).kind !== 'missing') throw cause;
    }
  }
}

function pathOf(token: string): string {
  return `/api/uploads/${encodeURIComponent(token)}`;
}

function reached(headers: Headers): Reached {
  return { offset: Number(headers.get('Upload-Offset')), complete: headers.get('Upload-Complete') === '1' };
}
