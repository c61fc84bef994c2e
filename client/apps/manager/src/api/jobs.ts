import type { Http } from '@onemap/core';

export interface Job {
  id: number;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | string;
  step: string;
  /** 0 to 1. */
  progress: number;
  reason: string;
}

export async function jobOf(http: Http, id: number, signal?: AbortSignal): Promise<Job> {
  return (await http.get<Job>(`/api/jobs/${id}`, { etag: null, ...(signal ? { signal } : {}) })).body!;
}

export async function cancelJob(http: Http, id: number): Promise<void> {
  await http.post(`/api/jobs/${id}/cancel`, {});
}

export function isOpen(job: { state: string } | null): boolean {
  return job !== null && (job.state === 'queued' || job.state === 'running');
}
