import type { MapBrowserEvent } from 'ol';
import OlMap from 'ol/Map';
import View from 'ol/View';
import ScaleLine from 'ol/control/ScaleLine';
import { containsExtent } from 'ol/extent';
import { defaults as defaultInteractions } from 'ol/interaction/defaults';

import {
  boxIsEmpty,
  resolutionOfScale,
  type Box,
  type Geometry,
  type GridInfo,
  type LayerChoices,
  type LayerInfo,
  type MapInfo,
  type Position,
} from '@onemap/core';
import { grow, registerCrs, toLonLat } from './crs';
import { levelResolution } from './grids';
import { Reconciler } from './reconciler';
import { Selection, type GeometryCrs } from './selection';
import type { TileStatus } from './tileLoading';

/** 1:100, finer than any survey in the city. */
const FINEST_RESOLUTION = resolutionOfScale(100);
const ANIMATION_MS = 120;
const CLICK_TOLERANCE_PX = 6;
/** The server looks no further around a point. */
const WIDEST_TOLERANCE_M = 1000;
const ZOOM_KEYS = new Set(['+', '-', '=', '_']);
/** Air around a feature or layer that the map goes to, CSS pixels. */
const FIT_PADDING_PX = 48;
const REVEAL_MARGIN_PX = 40;

export interface ViewState {
  center: Position;
  /** Metres per CSS pixel. */
  resolution: number;
  extent: Box;
}

export interface MapHandlers {
  onMove: (view: ViewState) => void;
  onPointer: (at: Position | null) => void;
  /** A place asked about, with the radius in metres that a finger or mouse needs. */
  onAsk: (at: Position, tolerance: number) => void;
  onTiles: (name: string, status: TileStatus) => void;
}

export interface StartView {
  center?: Position | undefined;
  scale?: number | undefined;
}

/** The map in the city's own coordinate system. Plain objects in and out; no OpenLayers type leaves this package. */
export class CityMap {
  readonly crs: string;
  private readonly map: OlMap;
  private readonly view: View;
  private readonly handlers: MapHandlers;
  private readonly reconciler: Reconciler;
  private readonly selection: Selection;

  constructor(target: HTMLElement, info: MapInfo, handlers: MapHandlers, start: StartView) {
    registerCrs(info.crs);
    this.crs = info.grid.crs;
    this.handlers = handlers;
    this.view = createView(info, target, start);
    this.map = new OlMap({
      target,
      view: this.view,
      controls: [new ScaleLine({ units: 'metric', minWidth: 80 })],
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false, zoomDuration: motion() }),
    });
    this.reconciler = new Reconciler(this.map, info.grid, handlers.onTiles);
    this.selection = new Selection(this.map, this.crs);
    this.listen(target);
  }

  apply(layers: LayerInfo[], choices: LayerChoices): void {
    this.reconciler.apply(layers, choices);
  }

  reload(name: string): void {
    this.reconciler.reload(name);
  }

  /** Resolves once everything now asked for is on screen. */
  rendered(): Promise<void> {
    return new Promise((resolve) => {
      this.map.once('rendercomplete', () => resolve());
      this.map.render();
    });
  }

  state(): ViewState {
    return {
      center: this.view.getCenter() as Position,
      resolution: this.view.getResolution() ?? 1,
      extent: this.view.calculateExtent(this.map.getSize()) as Box,
    };
  }

  lonLat(at: Position): Position {
    return toLonLat(at, this.crs);
  }

  /** Where a position is on the map element, CSS pixels from its upper left corner. */
  pixelOf(at: Position): Position | null {
    return this.map.getPixelFromCoordinate(at) as Position | null;
  }

  setScale(denominator: number): void {
    this.keepToLevels(false);
    this.setResolution(resolutionOfScale(denominator));
  }

  setResolution(resolution: number): void {
    this.view.animate({ resolution: this.view.getConstrainedResolution(resolution) ?? resolution, duration: motion() });
  }

  setCenter(center: Position): void {
    this.view.animate({ center, duration: motion() });
  }

  zoomBy(levels: number): void {
    this.keepToLevels(true);
    const zoom = this.view.getConstrainedZoom((this.view.getZoom() ?? 0) + levels);
    if (zoom !== undefined) this.view.animate({ zoom, duration: motion() });
  }

  /** Show a box at the finest level that holds all of it; `tightly` fills the screen with it instead. */
  fit(box: Box, tightly = false): void {
    const padding = Array<number>(4).fill(FIT_PADDING_PX);
    if (boxIsEmpty(box)) return this.setCenter([box[0], box[1]]);
    this.keepToLevels(!tightly);
    this.view.fit(box, { padding, duration: motion(), minResolution: resolutionOfScale(250) });
  }

  /** Highlight a geometry. */
  select(geometry: Geometry | null, crs: GeometryCrs): void {
    this.selection.show(geometry, crs);
  }

  /** Go to what is highlighted unless all of it is in sight; says whether the map moves. */
  bringIntoView(): boolean {
    const box = this.selection.box();
    if (!box || containsExtent(this.state().extent, box)) return false;
    this.fit(grow(box, 0.2));
    return true;
  }

  zoomToSelection(): void {
    const box = this.selection.box();
    if (box) this.fit(box);
  }

  /** Move just so far that a position is clear of the map's edge: a dock may have opened over it. */
  reveal(at: Position): void {
    const { center, resolution, extent } = this.state();
    const margin = REVEAL_MARGIN_PX * resolution;
    const outside = (axis: 0 | 1): number =>
      Math.min(0, at[axis] - margin - extent[axis]) + Math.max(0, at[axis] + margin - extent[axis === 0 ? 2 : 3]);
    const [dx, dy] = [outside(0), outside(1)];
    if (dx !== 0 || dy !== 0) this.setCenter([center[0] + dx, center[1] + dy]);
  }

  /** Ask about the middle of the map: the keyboard's click. */
  askCenter(): void {
    this.ask(this.state().center);
  }

  updateSize(): void {
    this.map.updateSize();
  }

  /**
   * Zooming by hand stops at the grid's levels (1:500, 1:1000, 1:2000 …), where tiles are drawn pixel by pixel;
   * between two levels they are stretched and soft. A scale that was typed or linked is taken as it is.
   */
  private keepToLevels(keep: boolean): void {
    if (this.view.getConstrainResolution() !== keep) this.view.setConstrainResolution(keep);
  }

  private ask(at: Position): void {
    this.handlers.onAsk(at, Math.min(CLICK_TOLERANCE_PX * this.state().resolution, WIDEST_TOLERANCE_M));
  }

  private listen(target: HTMLElement): void {
    this.map.on('moveend', () => this.handlers.onMove(this.state()));
    target.addEventListener('wheel', () => this.keepToLevels(true), { capture: true, passive: true });
    target.addEventListener('keydown', ({ key }) => ZOOM_KEYS.has(key) && this.keepToLevels(true), { capture: true });
    this.map.on('click', (event) => this.ask(event.coordinate as Position));
    let waiting = false;
    this.map.on('pointermove', (event: MapBrowserEvent) => {
      if (waiting || event.dragging) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        this.handlers.onPointer(event.coordinate as Position);
      });
    });
    target.addEventListener('pointerleave', () => this.handlers.onPointer(null));
    this.followSize(target);
  }

  /** When docks open or close, every place stays where it is on the page; only the frame around it changes. */
  private followSize(target: HTMLElement): void {
    let before = middleOf(target);
    new ResizeObserver(() => {
      const after = middleOf(target);
      const { center, resolution } = this.state();
      this.map.updateSize();
      if (before && after) {
        this.view.setCenter([
          center[0] + (after[0] - before[0]) * resolution,
          center[1] - (after[1] - before[1]) * resolution,
        ]);
      }
      before = after ?? before;
    }).observe(target);
  }
}

function createView(info: MapInfo, target: HTMLElement, start: StartView): View {
  const { extent, center } = info.view;
  const [width, height] = [Math.max(target.clientWidth, 1), Math.max(target.clientHeight, 1)];
  const whole = Math.max((extent[2] - extent[0]) / width, (extent[3] - extent[1]) / height);
  return new View({
    projection: info.grid.crs,
    center: start.center ?? center,
    resolution: start.scale ? resolutionOfScale(start.scale) : whole,
    extent: grow(extent, 0.5),
    constrainOnlyCenter: true,
    maxResolution: levelAtLeast(info.grid, whole * 2),
    minResolution: levelAtLeast(info.grid, FINEST_RESOLUTION),
    enableRotation: false,
  });
}

/** The finest level of the grid, counted on beyond its ends, that is not finer than a resolution. */
function levelAtLeast(grid: GridInfo, resolution: number): number {
  return levelResolution(grid, Math.floor(Math.log2(levelResolution(grid, 0) / resolution)));
}

/** Middle of an element on the page, CSS pixels; null while it has no size. */
function middleOf(element: HTMLElement): Position | null {
  const { left, top, width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 ? [left + width / 2, top + height / 2] : null;
}

function motion(): number {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ANIMATION_MS;
}
