import type OlMap from 'ol/Map';
import MVT from 'ol/format/MVT';
import VectorTileLayer from 'ol/layer/VectorTile';
import VectorTileSource from 'ol/source/VectorTile';

import type { GridInfo, LayerChoice, LayerChoices, LayerInfo } from '@onemap/core';
import { coarsestResolution, createTileGrid, levelResolution, nearerLevel } from './grids';
import { shapeStyle, textStyle } from './styles';
import { TileLedger, tileLoader, type TileStatus } from './tileLoading';

interface Drawn {
  shapes: VectorTileLayer;
  /** Labels lie above all shapes of all layers; null for a layer without. */
  labels: VectorTileLayer | null;
  source: VectorTileSource;
  ledger: TileLedger;
  tiles: string;
  style: string;
  /** First level that is asked for. */
  from: number;
}

/** Labels above every layer's shapes, below the selection. */
const LABELS_Z = 500_000;

/** Brings the map's layers in line with the catalogue and the choices; nothing else touches them. */
export class Reconciler {
  private readonly drawn = new Map<string, Drawn>();
  private readonly map: OlMap;
  private readonly grid: GridInfo;
  private readonly onTiles: (name: string, status: TileStatus) => void;

  constructor(map: OlMap, grid: GridInfo, onTiles: (name: string, status: TileStatus) => void) {
    this.map = map;
    this.grid = grid;
    this.onTiles = onTiles;
  }

  apply(layers: LayerInfo[], choices: LayerChoices): void {
    this.removeAllBut(new Set(layers.map((layer) => layer.name)));
    for (const info of layers) {
      const choice = choices[info.name];
      const shown = this.known(info) ?? (choice?.visible ? this.add(info) : null);
      if (shown && choice) this.update(shown, info, choice);
    }
  }

  /** What is drawn of a layer. Once there are overviews, or no more, its grid begins at another level: it is made anew. */
  private known(info: LayerInfo): Drawn | undefined {
    const known = this.drawn.get(info.name);
    if (!known || known.from === firstDrawn(this.grid, info)) return known;
    this.remove(info.name, known);
    return undefined;
  }

  /** Ask for a layer's tiles again, after a failure. */
  reload(name: string): void {
    const shown = this.drawn.get(name);
    shown?.ledger.clear();
    shown?.source.refresh();
  }

  private removeAllBut(wanted: ReadonlySet<string>): void {
    for (const [name, shown] of this.drawn) {
      if (!wanted.has(name)) this.remove(name, shown);
    }
  }

  private remove(name: string, shown: Drawn): void {
    for (const layer of layersOf(shown)) this.map.removeLayer(layer);
    this.drawn.delete(name);
  }

  private add(info: LayerInfo): Drawn {
    const from = firstDrawn(this.grid, info);
    const ledger = new TileLedger((status) => this.onTiles(info.name, status));
    const format = new MVT();
    const source = new VectorTileSource({
      format,
      projection: this.grid.crs,
      // The grid itself starts at the first level too: no rounding can then ask for a tile below it.
      tileGrid: createTileGrid(this.grid, from),
      url: info.tiles,
      tileLoadFunction: tileLoader(format, ledger),
      transition: 0,
      wrapX: false,
      zDirection: nearerLevel,
    });
    const coarsest = coarsestResolution(this.grid, from);
    const limits = coarsest === undefined ? {} : { maxResolution: coarsest };
    // Both layers share the source, so every tile is asked for and read once.
    const shapes = new VectorTileLayer({ source, renderMode: 'hybrid', style: shapeStyle(info), ...limits });
    const labels = info.label_field
      ? new VectorTileLayer({ source, renderMode: 'vector', declutter: true, style: textStyle(info), ...limits })
      : null;
    const shown = { shapes, labels, source, ledger, tiles: info.tiles, style: JSON.stringify(info.style), from };
    this.drawn.set(info.name, shown);
    for (const layer of layersOf(shown)) this.map.addLayer(layer);
    return shown;
  }

  private update(shown: Drawn, info: LayerInfo, choice: LayerChoice): void {
    for (const layer of layersOf(shown)) {
      layer.setVisible(choice.visible);
      layer.setOpacity(choice.opacity / 100);
    }
    shown.shapes.setZIndex(info.order);
    // Where labels compete, those of the layers below win: districts are few, buildings many.
    shown.labels?.setZIndex(LABELS_Z - info.order);
    if (shown.tiles !== info.tiles) {
      shown.tiles = info.tiles;
      shown.ledger.clear();
      shown.source.setUrl(info.tiles);
    }
    const style = JSON.stringify(info.style);
    if (shown.style !== style) {
      shown.style = style;
      shown.shapes.setStyle(shapeStyle(info));
      shown.labels?.setStyle(textStyle(info));
    }
  }
}

function layersOf({ shapes, labels }: Drawn): VectorTileLayer[] {
  return labels ? [shapes, labels] : [shapes];
}

/** First level of a layer that is drawn: with overviews all are. */
function firstDrawn(grid: GridInfo, layer: LayerInfo): number {
  return layer.overview ? 0 : (layer.first_level[grid.identifier] ?? 0);
}

/** How a layer is drawn at a resolution: all of it, small features merged, or not at all ("zoom in"). */
export type Detail = 'full' | 'overview' | 'none';

export function detailAt(grid: GridInfo, layer: LayerInfo, resolution: number): Detail {
  const coarsest = coarsestResolution(grid, layer.first_level[grid.identifier]);
  if (coarsest === undefined || resolution < coarsest) return 'full';
  return layer.overview ? 'overview' : 'none';
}

/** Resolution to go to when all features of a layer should just become visible. */
export function firstResolution(grid: GridInfo, layer: LayerInfo): number {
  return levelResolution(grid, layer.first_level[grid.identifier] ?? 0);
}
