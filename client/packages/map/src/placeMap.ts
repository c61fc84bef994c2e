import Feature from 'ol/Feature';
import OlMap from 'ol/Map';
import View from 'ol/View';
import ScaleLine from 'ol/control/ScaleLine';
import { boundingExtent, isEmpty } from 'ol/extent';
import GeoJSON from 'ol/format/GeoJSON';
import { defaults as defaultInteractions } from 'ol/interaction/defaults';
import VectorLayer from 'ol/layer/Vector';
import VectorSource from 'ol/source/Vector';

import { resolutionOfScale, type Box, type Geometry, type LayerInfo, type MapInfo, type Position } from '@onemap/core';
import { GEOGRAPHIC, grow, registerCrs, fromLonLat } from './crs';
import { placeStyle, type PlaceKind } from './placeStyles';
import { Reconciler } from './reconciler';

/** Something with a place: a fault, a changed feature, a guess. */
export interface Place {
  id: string;
  kind: PlaceKind;
  /** Longitude and latitude, degrees. */
  geometry: Geometry;
}

const PLACES_Z = 900_000;
const FIT_PADDING_PX = 40;
const CLICK_TOLERANCE_PX = 6;
const FLASHES = 6;
const FLASH_MS = 220;
/** Near enough to see a fault, far enough to see where one is. */
const CLOSEST = resolutionOfScale(2000);

/** A map that shows places over the public layers and tells which of them was clicked. */
export class PlaceMap {
  private readonly map: OlMap;
  private readonly view: View;
  private readonly whole: Box;
  private readonly crs: string;
  private readonly reconciler: Reconciler;
  private readonly source = new VectorSource();
  private readonly reader = new GeoJSON();
  private focused: string | null = null;
  private dimmed = false;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(target: HTMLElement, info: MapInfo, onPick: (id: string) => void) {
    registerCrs(info.crs);
    this.crs = info.grid.crs;
    this.whole = info.view.extent;
    this.view = new View({ projection: this.crs, enableRotation: false, minResolution: resolutionOfScale(50) });
    this.map = new OlMap({
      target,
      view: this.view,
      controls: [new ScaleLine({ units: 'metric', minWidth: 64 })],
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
    });
    this.reconciler = new Reconciler(this.map, info.grid, () => undefined);
    const style = placeStyle((id) => (id === this.focused ? (this.dimmed ? 'dimmed' : 'focused') : 'plain'));
    this.map.addLayer(new VectorLayer({ source: this.source, style, zIndex: PLACES_Z }));
    this.view.fit(this.whole);
    this.map.on('click', ({ pixel }) => {
      const hit = this.map.forEachFeatureAtPixel(pixel, (feature) => feature, { hitTolerance: CLICK_TOLERANCE_PX });
      if (hit && hit.get('place')) onPick(String(hit.get('place')));
    });
    new ResizeObserver(() => this.map.updateSize()).observe(target);
  }

  /** Draw layers of the catalogue below the places. */
  base(layers: LayerInfo[]): void {
    const choices = Object.fromEntries(layers.map(({ name }) => [name, { visible: true, opacity: 60 }]));
    this.reconciler.apply(layers, choices);
  }

  /** Show these places and no others. */
  show(places: Place[]): void {
    this.source.clear();
    this.source.addFeatures(places.flatMap((place) => this.featureOf(place)));
  }

  /** Go where all of it is; the whole city where there is nothing. */
  fitAll(): void {
    const extent = this.source.getExtent();
    this.fit(!extent || isEmpty(extent) ? this.whole : (extent as Box));
  }

  /** Mark one place, go there and let it flash; null marks none. */
  focus(id: string | null, move = true): void {
    this.focused = id;
    clearInterval(this.timer);
    this.dimmed = false;
    this.source.changed();
    const found = this.source.getFeatures().filter((feature) => feature.get('place') === id);
    const corners = found.flatMap((feature) => {
      const [x0, y0, x1, y1] = feature.getGeometry()!.getExtent() as Box;
      return [[x0, y0], [x1, y1]];
    });
    if (!corners.length) return;
    if (move) this.fit(grow(boundingExtent(corners) as Box, 0.5));
    this.flash();
  }

  /** Where a longitude and latitude is on the map element, CSS pixels. */
  pixelOf(lonlat: Position): Position | null {
    return this.map.getPixelFromCoordinate(fromLonLat(lonlat, this.crs)) as Position | null;
  }

  dispose(): void {
    clearInterval(this.timer);
    this.map.setTarget();
  }

  private featureOf(place: Place): Feature[] {
    const shape = this.reader.readGeometry(place.geometry, { dataProjection: GEOGRAPHIC, featureProjection: this.crs });
    if (!shape) return [];
    const feature = new Feature(shape);
    feature.setProperties({ place: place.id, kind: place.kind });
    return [feature];
  }

  private fit(box: Box): void {
    const padding = Array<number>(4).fill(FIT_PADDING_PX);
    this.view.fit(box, { padding, minResolution: CLOSEST });
  }

  private flash(): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    let left = FLASHES;
    this.timer = setInterval(() => {
      left -= 1;
      this.dimmed = left > 0 && !this.dimmed;
      this.source.changed();
      if (left <= 0) clearInterval(this.timer);
    }, FLASH_MS);
  }
}
