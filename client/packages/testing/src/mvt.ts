import { PbfWriter } from 'pbf';

import type { Box, Position, Properties } from '../../core/src/api/types';
import type { CityFeature } from './city';

const EXTENT = 4096;
const KIND = { Point: 1, LineString: 2, Polygon: 3 } as const;
const [MOVE_TO, LINE_TO, CLOSE] = [1, 2, 7];

interface TileLayer {
  name: string;
  features: { id: number; kind: keyof typeof KIND; parts: Position[][]; properties: Properties }[];
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31);
}

function commands(parts: Position[][], closed: boolean, box: Box): number[] {
  const words: number[] = [];
  let [x, y] = [0, 0];
  const scale = EXTENT / (box[2] - box[0]);
  const step = ([east, north]: Position): void => {
    const [nx, ny] = [Math.round((east - box[0]) * scale), Math.round((box[3] - north) * scale)];
    words.push(zigzag(nx - x), zigzag(ny - y));
    [x, y] = [nx, ny];
  };
  for (const part of parts) {
    const points = closed ? part.slice(0, -1) : part;
    words.push((1 << 3) | MOVE_TO!);
    step(points[0]!);
    if (points.length > 1) words.push(((points.length - 1) << 3) | LINE_TO!);
    points.slice(1).forEach(step);
    if (closed) words.push((1 << 3) | CLOSE!);
  }
  return words;
}

function writeValue(value: unknown, pbf: PbfWriter): void {
  if (typeof value === 'number') pbf.writeDoubleField(3, value);
  else pbf.writeStringField(1, String(value ?? ''));
}

function writeLayer(layer: TileLayer, box: Box, pbf: PbfWriter): void {
  const keys: string[] = [];
  const values: unknown[] = [];
  const indexOf = (list: unknown[], value: unknown): number => {
    const found = list.indexOf(value);
    return found >= 0 ? found : list.push(value) - 1;
  };
  pbf.writeVarintField(15, 2);
  pbf.writeStringField(1, layer.name);
  for (const { id, kind, parts, properties } of layer.features) {
    const tags = Object.entries(properties).flatMap(([key, value]) => [indexOf(keys, key), indexOf(values, value)]);
    const words = commands(parts, kind === 'Polygon', box);
    pbf.writeMessage(2, (_: unknown, out: PbfWriter) => {
      out.writeVarintField(1, id);
      out.writePackedVarint(2, tags);
      out.writeVarintField(3, KIND[kind]);
      out.writePackedVarint(4, words);
    }, null);
  }
  for (const key of keys) pbf.writeStringField(3, key);
  for (const value of values) pbf.writeMessage(4, writeValue, value);
  pbf.writeVarintField(5, EXTENT);
}

function partsOf(feature: CityFeature): Position[][] {
  const { type, coordinates } = feature.geometry;
  if (type === 'Point') return [[coordinates as Position]];
  return type === 'LineString' ? [coordinates as Position[]] : (coordinates as Position[][]);
}

/** Encode features that touch a box as one tile: their own layer, and a `label` layer of points. */
export function encodeTile(name: string, features: CityFeature[], labelField: string | null, box: Box): Uint8Array {
  const own: TileLayer = {
    name,
    features: features.map((feature) => ({
      id: feature.fid,
      // Rings here run counter-clockwise with north up, which is clockwise, as tiles want it, with y down.
      kind: feature.geometry.type as keyof typeof KIND,
      parts: partsOf(feature).map((part) => (feature.geometry.type === 'Polygon' ? [...part].reverse() : part)),
      properties: feature.properties,
    })),
  };
  const pbf = new PbfWriter();
  pbf.writeMessage(3, (layer: TileLayer, out: PbfWriter) => writeLayer(layer, box, out), own);
  const labels = labelField === null ? [] : labelPoints(features, labelField, box);
  if (labels.length) {
    pbf.writeMessage(3, (layer: TileLayer, out: PbfWriter) => writeLayer(layer, box, out), { name: 'label', features: labels });
  }
  return pbf.finish();
}

function labelPoints(features: CityFeature[], field: string, box: Box): TileLayer['features'] {
  return features.flatMap(({ fid, properties, box: own }) => {
    const [x, y] = [(own[0] + own[2]) / 2, (own[1] + own[3]) / 2];
    // Half open, so that one tile owns each label.
    const mine = x >= box[0] && x < box[2] && y > box[1] && y <= box[3];
    const text = properties[field];
    if (!mine || !text) return [];
    return [{ id: fid, kind: 'Point' as const, parts: [[[x, y] as Position]], properties: { text } }];
  });
}
