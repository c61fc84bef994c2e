import { asArray } from 'ol/color';
import type { StyleFunction } from 'ol/style/Style';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';

import type { LayerInfo } from '@onemap/core';
import { legendOf, type Swatch } from './legend';

const INK = '#1C2733';
const FONT = '12px "Microsoft YaHei","PingFang SC","Noto Sans CJK SC","Source Han Sans SC",sans-serif';

/** Name of the extra tile layer with one point per labelled feature. */
const LABEL_LAYER = 'label';

function styleOf(swatch: Swatch): Style {
  const fill = new Fill({ color: swatch.fill });
  const stroke = new Stroke({ color: swatch.stroke, width: swatch.width });
  if (swatch.geometry === 'point') {
    // A point is data and always drawn; only labels make room for each other.
    return new Style({ image: new CircleStyle({ radius: swatch.radius, fill, stroke, declutterMode: 'none' }) });
  }
  return swatch.geometry === 'line' ? new Style({ stroke }) : new Style({ fill, stroke });
}

/** Part of an overview: many features in one shape, which has no outline of its own to draw. */
const MERGED = 'onemap_count';

/** Half of an outline's colour and half of a fill, as many small outlined shapes look from afar. */
function mergedStyleOf(swatch: Swatch): Style {
  if (swatch.geometry !== 'polygon') return styleOf(swatch);
  const [fill, stroke] = [asArray(swatch.fill), asArray(swatch.stroke)];
  const mixed = fill.map((part, index) => (part + (stroke[index] ?? part)) / 2);
  // Outlines weigh little where the fill is solid, and are all there is where it is not.
  const color = (fill[3] ?? 1) > 0.6 ? swatch.fill : mixed;
  return new Style({ fill: new Fill({ color }) });
}

function labelStyle(isPoint: boolean, radius: number): Style {
  return new Style({
    text: new Text({
      font: FONT,
      fill: new Fill({ color: INK }),
      stroke: new Stroke({ color: '#FFFFFF', width: 4 }),
      overflow: true,
      // Beside its marker, not on it.
      offsetY: isPoint ? -(radius + 9) : 0,
    }),
  });
}

/** The style of a layer's shapes: one Style per class, made once, so that 100,000 features cost look-ups only. */
export function shapeStyle(layer: LayerInfo): StyleFunction {
  const swatches = legendOf(layer);
  const byCode = new Map(swatches.map((swatch) => [swatch.code, styleOf(swatch)]));
  const mergedByCode = new Map(swatches.map((swatch) => [swatch.code, mergedStyleOf(swatch)]));
  const field = layer.style.categories?.field ?? null;
  const [plain] = legendOf({ ...layer, style: { ...layer.style, categories: null } });
  const [other, mergedOther] = [styleOf(plain!), mergedStyleOf(plain!)];
  return (feature) => {
    if (feature.get('layer') === LABEL_LAYER) return undefined;
    const isMerged = feature.get(MERGED) !== undefined;
    const [known, rest] = isMerged ? [mergedByCode, mergedOther] : [byCode, other];
    return field === null ? rest : (known.get(String(feature.get(field))) ?? rest);
  };
}

/** The style of a layer's labels: text only, on the points of the tile's label layer. */
export function textStyle(layer: LayerInfo): StyleFunction {
  const label = labelStyle(layer.geometry === 'point', layer.style.radius ?? 4);
  return (feature) => {
    if (feature.get('layer') !== LABEL_LAYER) return undefined;
    label.getText()?.setText(String(feature.get('text') ?? ''));
    return label;
  };
}

const CASING = '#0B2B3A';
const SELECTION = '#00A6C8';

/** The selected feature: cyan inside a dark casing, no fill, so the land use below stays readable. */
export const SELECTION_STYLE: Style[] = [
  new Style({
    stroke: new Stroke({ color: CASING, width: 5 }),
    image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: CASING, width: 5 }) }),
  }),
  new Style({
    stroke: new Stroke({ color: SELECTION, width: 3 }),
    image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: SELECTION, width: 3 }) }),
  }),
];
