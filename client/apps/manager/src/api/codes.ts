import type { Http } from '@onemap/core';

export interface CodeListLine {
  code: string;
  edition: string;
  title_zh: string;
  title_en: string;
  source: string;
  valid_from: string | null;
  /** First day on which it no longer holds. */
  valid_to: string | null;
  /** How many codes it has. */
  values: number;
}

export interface CodeValue {
  code: string;
  title_zh: string;
  title_en: string;
  parent: string;
  colour: string;
  selectable: boolean;
  mark: string;
}

export interface CodeNode {
  code: string;
  children: CodeNode[];
}

export interface CodeListFull extends Omit<CodeListLine, 'values'> {
  values: CodeValue[];
  tree: CodeNode[];
}

export interface MappedCode {
  code: string;
  title_zh: string;
  title_en: string;
}

export interface CodeMapping {
  source: MappedCode;
  target: MappedCode;
  relation: string;
  note: string;
}

export interface MappingOf {
  mappings: CodeMapping[];
  unmapped: string[];
}

export interface EditionFacts {
  title_zh: string;
  title_en: string;
  source: string;
  valid_from: string | null;
  valid_to: string | null;
  csv: string;
}

/** A row of a sent edition that cannot be taken; rows count from 1 below the heading. */
export interface RowFault {
  row: number;
  code: string;
  reason: string;
  reason_zh: string;
}

/** Code lists over HTTP. */
export class CodesApi {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async lists(signal?: AbortSignal): Promise<CodeListLine[]> {
    return (await this.http.get<{ code_lists: CodeListLine[] }>('/api/code-lists', { etag: null, ...(signal ? { signal } : {}) })).body!.code_lists;
  }

  async one(code: string, edition: string, signal?: AbortSignal): Promise<CodeListFull> {
    return (await this.http.get<CodeListFull>(pathOf(code, edition), { etag: null, ...(signal ? { signal } : {}) })).body!;
  }

  async mapping(from: CodeKey, to: CodeKey, signal?: AbortSignal): Promise<MappingOf> {
    const path = `${pathOf(from.code, from.edition)}/mapping/${encodeURIComponent(to.code)}/${encodeURIComponent(to.edition)}`;
    return (await this.http.get<MappingOf>(path, { etag: null, ...(signal ? { signal } : {}) })).body!;
  }

  /** Add an edition, or make one that is there what is sent. */
  async keep(key: CodeKey, facts: EditionFacts, isNew: boolean): Promise<void> {
    const path = pathOf(key.code, key.edition);
    await (isNew ? this.http.post(path, facts) : this.http.put(path, facts));
  }
}

export interface CodeKey {
  code: string;
  edition: string;
}

function pathOf(code: string, edition: string): string {
  return `/api/code-lists/${encodeURIComponent(code)}/${encodeURIComponent(edition)}`;
}
