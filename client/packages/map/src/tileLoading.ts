import type MVT from 'ol/format/MVT';
import type Tile from 'ol/Tile';
import type VectorTile from 'ol/VectorTile';

export interface TileStatus {
  /** Requests under way. */
  pending: number;
  loaded: number;
  failed: number;
  /** HTTP status of the last failure; 0 when no answer came; null without one. */
  lastFailure: number | null;
}

export const NO_TILES: TileStatus = { pending: 0, loaded: 0, failed: 0, lastFailure: null };

export type TileMark = 'ok' | 'warning' | 'error' | 'denied';

/** Some tiles missing is a warning, half of them an error; a layer that is refused is neither. */
export function tileMark(status: TileStatus): TileMark {
  if (status.failed === 0) return 'ok';
  if (status.lastFailure !== null && [401, 403, 404].includes(status.lastFailure)) return 'denied';
  return status.failed * 2 >= status.failed + status.loaded ? 'error' : 'warning';
}

/** Counts what happens to the tiles of one layer. */
export class TileLedger {
  private readonly failures = new Map<string, number>();
  private readonly done = new Set<string>();
  private pending = 0;
  private readonly onChange: (status: TileStatus) => void;

  constructor(onChange: (status: TileStatus) => void) {
    this.onChange = onChange;
  }

  status(): TileStatus {
    const lastFailure = [...this.failures.values()].at(-1) ?? null;
    return { pending: this.pending, loaded: this.done.size, failed: this.failures.size, lastFailure };
  }

  started(): void {
    this.pending += 1;
    this.onChange(this.status());
  }

  loaded(url: string): void {
    this.pending -= 1;
    this.failures.delete(url);
    this.done.add(url);
    this.onChange(this.status());
  }

  failed(url: string, httpStatus: number): void {
    this.pending -= 1;
    this.failures.set(url, httpStatus);
    this.onChange(this.status());
  }

  /** Forget past answers, before the same layer is asked anew. */
  clear(): void {
    this.failures.clear();
    this.done.clear();
    this.onChange(this.status());
  }
}

class TileRefused extends Error {
  readonly httpStatus: number;

  constructor(httpStatus: number) {
    super(`tile answered ${httpStatus}`);
    this.httpStatus = httpStatus;
  }
}

async function fetchTile(url: string): Promise<ArrayBuffer | null> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (response.status === 204) return null;
  if (!response.ok) throw new TileRefused(response.status);
  return response.arrayBuffer();
}

/** Load tiles by fetch: 204 is an empty tile, and every outcome is written to the ledger. */
export function tileLoader(format: MVT, ledger: TileLedger): (tile: Tile, url: string) => void {
  return (anyTile, url) => {
    const tile = anyTile as VectorTile<never>;
    tile.setLoader((extent, _resolution, projection) => {
      ledger.started();
      fetchTile(url)
        .then((bytes) => {
          const features = bytes ? format.readFeatures(bytes, { extent, featureProjection: projection }) : [];
          tile.setFeatures(features as never[]);
          ledger.loaded(url);
        })
        .catch((cause: unknown) => {
          tile.onError();
          ledger.failed(url, cause instanceof TileRefused ? cause.httpStatus : 0);
        });
    });
  };
}
