import type OlMap from 'ol/Map';
import Feature from 'ol/Feature';
import GeoJSON from 'ol/format/GeoJSON';
import VectorLayer from 'ol/layer/Vector';
import VectorSource from 'ol/source/Vector';

import type { Box, Geometry } from '@onemap/core';
import { GEOGRAPHIC } from './crs';
import { SELECTION_STYLE } from './styles';

/** Above every layer of the catalogue. */
const TOP = 1_000_000;

export type GeometryCrs = 'storage' | 'lonlat';

/** The one highlighted feature. */
export class Selection {
  private readonly source = new VectorSource();
  private readonly crs: string;

  constructor(map: OlMap, crs: string) {
    this.crs = crs;
    map.addLayer(new VectorLayer({ source: this.source, style: SELECTION_STYLE, zIndex: TOP }));
  }

  /** Highlight a geometry; null clears. */
  show(geometry: Geometry | null, crs: GeometryCrs): void {
    this.source.clear();
    if (!geometry) return;
    const shape = new GeoJSON().readGeometry(geometry, {
      dataProjection: crs === 'storage' ? this.crs : GEOGRAPHIC,
      featureProjection: this.crs,
    });
    if (shape) this.source.addFeature(new Feature(shape));
  }

  /** Box of what is highlighted, metres; null when nothing is. */
  box(): Box | null {
    return this.source.getFeatures().length ? (this.source.getExtent() as Box) : null;
  }
}
